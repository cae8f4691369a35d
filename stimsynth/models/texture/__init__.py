"""Texture statistics after Portilla and Simoncelli, in grey and colour."""
