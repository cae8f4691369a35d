"""Columns of a table understood: roles, numbers, words, answers, evidence."""
