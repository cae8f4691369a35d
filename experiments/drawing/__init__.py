"""Parts of scenes: rectangles of pictures, and marks."""
