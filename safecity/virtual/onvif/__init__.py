"""The virtual camera's other face: ONVIF over SOAP (device, media, PTZ, events, recordings) and WS-Discovery."""
