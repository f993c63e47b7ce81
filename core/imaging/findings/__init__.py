"""What the pixels of a frame show: area, sector, views, words, calipers, looks, quality."""
