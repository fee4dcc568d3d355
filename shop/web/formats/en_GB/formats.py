"""How times are shown, in lists as on pages: to the second, on a clock of 24 hours, in UTC."""

DATETIME_FORMAT = "j M Y, H:i:s"
SHORT_DATETIME_FORMAT = "j M Y, H:i:s"
TIME_FORMAT = "H:i:s"
DATE_FORMAT = "j M Y"
