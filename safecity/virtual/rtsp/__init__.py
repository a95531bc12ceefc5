"""An RTSP 1.0 server (RFC 2326) for the virtual cameras: protocol only, it knows nothing of faults or clips."""
