"""Texture statistics of Portilla and Simoncelli, for grey and colour images."""
