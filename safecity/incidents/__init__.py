"""The one alert queue and the life of an incident."""
