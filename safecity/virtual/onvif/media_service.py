"""The media services (ver10 and ver20): profiles, stream addresses, encoder settings.

The clip is sent as it is: a GOP length that is set is remembered and told, and the pictures stay the same.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from safecity.platform.xml_tree import Element
from safecity.virtual.elementary import Elementary
from safecity.virtual.faults import OddOnvif
from safecity.virtual.mounts import PROFILES, Profile
from safecity.virtual.onvif.device import Device
from safecity.virtual.onvif.device_service import FOREIGN_HOST
from safecity.virtual.onvif.ptz_service import write_configuration
from safecity.virtual.onvif.soap import SoapFault, text

GOP_RANGE: Final = (1, 400)
_MULTICAST = (
    "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>"
    "<tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
)


def token_of(profile: Profile) -> str:
    """Token of a media profile."""
    return f"profile_{profile}"


def get_profiles(device: Device, body: Element) -> str:
    """Media 1: every profile with all its configurations."""
    del body
    told = "".join(_profile1(device, profile, tag="trt:Profiles") for profile in PROFILES)
    return f"<trt:GetProfilesResponse>{told}</trt:GetProfilesResponse>"


def get_profile(device: Device, body: Element) -> str:
    """Media 1: one."""
    profile = _named(body.text_at("ProfileToken"))
    return f"<trt:GetProfileResponse>{_profile1(device, profile, tag='trt:Profile')}</trt:GetProfileResponse>"


def get_profiles2(device: Device, body: Element) -> str:
    """Media 2: the configurations that were asked for by `Type`."""
    asked = {one.text for one in body.each("Type")}
    wanted = body.text_at("Token")
    told: list[str] = []
    for profile in PROFILES:
        if wanted and wanted != token_of(profile):
            continue
        inside = ""
        if asked & {"All", "VideoSource"}:
            inside += _source(device, tag="tr2:VideoSource")
        if asked & {"All", "VideoEncoder"}:
            inside += _encoder2(device, profile, tag="tr2:VideoEncoder")
        if device.head and asked & {"All", "PTZ"}:
            inside += write_configuration(device, tag="tr2:PTZ")
        configurations = f"<tr2:Configurations>{inside}</tr2:Configurations>" if asked else ""
        told.append(
            f'<tr2:Profiles token="{token_of(profile)}" fixed="true"><tr2:Name>{profile}</tr2:Name>{configurations}'
            "</tr2:Profiles>"
        )
    if wanted and not told:
        raise _no_profile()
    return f"<tr2:GetProfilesResponse>{''.join(told)}</tr2:GetProfilesResponse>"


def get_stream_uri(device: Device, body: Element) -> str:
    """Media 1: where a profile plays."""
    uri = _uri(device, _named(body.text_at("ProfileToken")))
    return (
        f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{text(uri)}</tt:Uri>"
        "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>"
        "<tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"
    )


def get_stream_uri2(device: Device, body: Element) -> str:
    """Media 2: the same, for RTSP over TCP or UDP."""
    if body.text_at("Protocol") not in ("RTSP", "RtspUnicast", "RtspOverHttp"):
        raise SoapFault("ter:InvalidArgVal", "There is no such transport.", detail="ter:InvalidStreamSetup")
    uri = _uri(device, _named(body.text_at("ProfileToken")))
    return f"<tr2:GetStreamUriResponse><tr2:Uri>{text(uri)}</tr2:Uri></tr2:GetStreamUriResponse>"


def refuse_snapshot(device: Device, body: Element) -> str:
    """No single pictures: every picture goes through the recorder's door."""
    del device, body
    raise SoapFault("ter:ActionNotSupported", "This device takes no snapshots.", is_ours=True, status=500)


def get_video_sources(device: Device, body: Element) -> str:
    """One sensor."""
    del body
    source = _elementary(device, "main")
    return (
        '<trt:GetVideoSourcesResponse><trt:VideoSources token="source">'
        f"<tt:Framerate>{source.frame_rate:g}</tt:Framerate><tt:Resolution><tt:Width>{source.width_px}</tt:Width>"
        f"<tt:Height>{source.height_px}</tt:Height></tt:Resolution></trt:VideoSources></trt:GetVideoSourcesResponse>"
    )


def get_encoders(device: Device, body: Element) -> str:
    """Media 1: encoder configurations."""
    del body
    told = "".join(_encoder1(device, profile, tag="trt:Configurations") for profile in PROFILES)
    return f"<trt:GetVideoEncoderConfigurationsResponse>{told}</trt:GetVideoEncoderConfigurationsResponse>"


def get_encoder(device: Device, body: Element) -> str:
    """Media 1: one encoder configuration."""
    profile = _of_encoder(body.text_at("ConfigurationToken"))
    told = _encoder1(device, profile, tag="trt:Configuration")
    return f"<trt:GetVideoEncoderConfigurationResponse>{told}</trt:GetVideoEncoderConfigurationResponse>"


def get_encoders2(device: Device, body: Element) -> str:
    """Media 2: encoder configurations, of one token or a profile where asked."""
    token = body.text_at("ConfigurationToken")
    profiles = (_of_encoder(token),) if token else PROFILES
    told = "".join(_encoder2(device, profile, tag="tr2:Configurations") for profile in profiles)
    return f"<tr2:GetVideoEncoderConfigurationsResponse>{told}</tr2:GetVideoEncoderConfigurationsResponse>"


def get_encoder_options(device: Device, body: Element) -> str:
    """Media 1: what may be set."""
    profile = _of_encoder(body.text_at("ConfigurationToken") or _encoder_token("main"))
    source = _elementary(device, profile)
    return (
        "<trt:GetVideoEncoderConfigurationOptionsResponse><trt:Options>"
        "<tt:QualityRange><tt:Min>0</tt:Min><tt:Max>5</tt:Max></tt:QualityRange><tt:H264><tt:ResolutionsAvailable>"
        f"<tt:Width>{source.width_px}</tt:Width><tt:Height>{source.height_px}</tt:Height></tt:ResolutionsAvailable>"
        f"<tt:GovLengthRange><tt:Min>{GOP_RANGE[0]}</tt:Min><tt:Max>{GOP_RANGE[1]}</tt:Max></tt:GovLengthRange>"
        f"<tt:FrameRateRange><tt:Min>1</tt:Min><tt:Max>{max(1, round(source.frame_rate))}</tt:Max></tt:FrameRateRange>"
        "<tt:EncodingIntervalRange><tt:Min>1</tt:Min><tt:Max>1</tt:Max></tt:EncodingIntervalRange>"
        "<tt:H264ProfilesSupported>Main</tt:H264ProfilesSupported></tt:H264></trt:Options>"
        "</trt:GetVideoEncoderConfigurationOptionsResponse>"
    )


def get_encoder_options2(device: Device, body: Element) -> str:
    """Media 2: what may be set."""
    profile = _of_encoder(body.text_at("ConfigurationToken") or _encoder_token("main"))
    source = _elementary(device, profile)
    return (
        "<tr2:GetVideoEncoderConfigurationOptionsResponse>"
        f'<tr2:Options GovLengthRange="{GOP_RANGE[0]} {GOP_RANGE[1]}" FrameRatesSupported="{source.frame_rate:g}" '
        f'ProfilesSupported="Main"><tt:Encoding>{_encoding(source)}</tt:Encoding>'
        "<tt:QualityRange><tt:Min>0</tt:Min><tt:Max>5</tt:Max></tt:QualityRange><tt:ResolutionsAvailable>"
        f"<tt:Width>{source.width_px}</tt:Width><tt:Height>{source.height_px}</tt:Height></tt:ResolutionsAvailable>"
        "<tt:BitrateRange><tt:Min>64</tt:Min><tt:Max>16384</tt:Max></tt:BitrateRange></tr2:Options>"
        "</tr2:GetVideoEncoderConfigurationOptionsResponse>"
    )


def set_encoder(device: Device, body: Element) -> str:
    """Media 1: set the GOP length."""
    _set_gop(device, body, lambda told: told.text_at("H264/GovLength") or told.text_at("MPEG4/GovLength"))
    return "<trt:SetVideoEncoderConfigurationResponse/>"


def set_encoder2(device: Device, body: Element) -> str:
    """Media 2: set the GOP length."""
    _set_gop(device, body, lambda told: told.attributes.get("GovLength", ""))
    return "<tr2:SetVideoEncoderConfigurationResponse/>"


def _set_gop(device: Device, body: Element, read: Callable[[Element], str]) -> None:
    told = body.find("Configuration")
    if told is None:
        raise SoapFault("ter:InvalidArgs", "There is no configuration.")
    profile, length = _of_encoder(told.attributes.get("token", "")), read(told)
    if not length.isdecimal() or not GOP_RANGE[0] <= int(length) <= GOP_RANGE[1]:
        raise SoapFault("ter:InvalidArgVal", "The GOP length is out of range.", detail="ter:ConfigModify")
    device.encoders[profile].gop = int(length)


def _profile1(device: Device, profile: Profile, *, tag: str) -> str:
    ptz = write_configuration(device, tag="tt:PTZConfiguration") if device.head else ""
    return (
        f'<{tag} token="{token_of(profile)}" fixed="true"><tt:Name>{profile}</tt:Name>'
        f"{_source(device, tag='tt:VideoSourceConfiguration')}"
        f"{_encoder1(device, profile, tag='tt:VideoEncoderConfiguration')}{ptz}</{tag}>"
    )


def _source(device: Device, *, tag: str) -> str:
    source = _elementary(device, "main")
    return (
        f'<{tag} token="source_configuration"><tt:Name>sensor</tt:Name><tt:UseCount>2</tt:UseCount>'
        f'<tt:SourceToken>source</tt:SourceToken><tt:Bounds x="0" y="0" width="{source.width_px}" '
        f'height="{source.height_px}"/></{tag}>'
    )


def _encoder1(device: Device, profile: Profile, *, tag: str) -> str:
    source, gop = _elementary(device, profile), device.encoders[profile].gop
    return (
        f'<{tag} token="{_encoder_token(profile)}"><tt:Name>{profile}</tt:Name><tt:UseCount>1</tt:UseCount>'
        f"<tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{source.width_px}</tt:Width>"
        f"<tt:Height>{source.height_px}</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality><tt:RateControl>"
        f"<tt:FrameRateLimit>{max(1, round(source.frame_rate))}</tt:FrameRateLimit>"
        "<tt:EncodingInterval>1</tt:EncodingInterval>"
        f"<tt:BitrateLimit>{max(1, round(source.bitrate_bps / 1000))}</tt:BitrateLimit></tt:RateControl>"
        f"<tt:H264><tt:GovLength>{gop}</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>"
        f"{_MULTICAST}<tt:SessionTimeout>PT60S</tt:SessionTimeout></{tag}>"
    )


def _encoder2(device: Device, profile: Profile, *, tag: str) -> str:
    source, gop = _elementary(device, profile), device.encoders[profile].gop
    return (
        f'<{tag} token="{_encoder_token(profile)}" GovLength="{gop}" Profile="Main"><tt:Name>{profile}</tt:Name>'
        f"<tt:UseCount>1</tt:UseCount><tt:Encoding>{_encoding(source)}</tt:Encoding><tt:Resolution>"
        f"<tt:Width>{source.width_px}</tt:Width><tt:Height>{source.height_px}</tt:Height></tt:Resolution>"
        f'<tt:RateControl ConstantBitRate="true"><tt:FrameRateLimit>{source.frame_rate:g}</tt:FrameRateLimit>'
        f"<tt:BitrateLimit>{max(1, round(source.bitrate_bps / 1000))}</tt:BitrateLimit></tt:RateControl>"
        f"{_MULTICAST}<tt:Quality>4</tt:Quality></{tag}>"
    )


def _encoding(source: Elementary) -> str:
    return "H265" if source.codec == "hevc" else "H264"


def _encoder_token(profile: Profile) -> str:
    return f"encoder_{profile}"


def _of_encoder(token: str) -> Profile:
    for profile in PROFILES:
        if token == _encoder_token(profile):
            return profile
    raise SoapFault("ter:InvalidArgVal", "There is no such configuration.", detail="ter:NoConfig")


def _named(token: str) -> Profile:
    for profile in PROFILES:
        if token == token_of(profile):
            return profile
    raise _no_profile()


def _no_profile() -> SoapFault:
    return SoapFault("ter:InvalidArgVal", "There is no such profile.", detail="ter:NoProfile")


def _uri(device: Device, profile: Profile) -> str:
    base = device.rtsp_base
    if device.odd is OddOnvif.FOREIGN_ADDRESS:
        parts = urlsplit(base)
        base = f"{parts.scheme}://{FOREIGN_HOST}:{parts.port}{parts.path}"
    return f"{base}/{profile}"


def _elementary(device: Device, profile: Profile) -> Elementary:
    feed = device.mount.streams[profile].feed
    if feed is None:
        raise SoapFault("ter:Action", "The camera is starting.", is_ours=True, status=503)
    return feed.own.source
