"""What scenes are made of: rectangles of pictures, and marks."""
