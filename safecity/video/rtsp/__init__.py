"""Our own RTSP client: dialogue, RTP and RTCP without sockets, so that every driver and every test shares it."""
