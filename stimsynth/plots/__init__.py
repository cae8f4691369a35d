"""Pictures of images, filters and syntheses: functions of arrays that return a matplotlib figure."""
