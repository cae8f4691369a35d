"""Problems, methods, one loop. Knows no image, no model, no metric."""
