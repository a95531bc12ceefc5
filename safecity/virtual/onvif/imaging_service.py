"""The imaging service (ver20/imaging): three settings that are remembered and told; the clip stays as it is."""

from safecity.platform.xml_tree import Element
from safecity.virtual.onvif.device import Device
from safecity.virtual.onvif.soap import SoapFault


def get_imaging_settings(device: Device, body: Element) -> str:
    """Of the one sensor."""
    _check_source(body)
    told = "".join(
        f"<tt:{name}>{device.imaging[name]:g}</tt:{name}>" for name in ("Brightness", "Contrast", "Sharpness")
    )
    return (
        f"<timg:GetImagingSettingsResponse><timg:ImagingSettings>{told}</timg:ImagingSettings>"
        "</timg:GetImagingSettingsResponse>"
    )


def set_imaging_settings(device: Device, body: Element) -> str:
    """Remember what is named. Raises SoapFault for values beyond 0 to 100."""
    _check_source(body)
    told = body.find("ImagingSettings")
    wanted = {one.name: one.text for one in told.children} if told else {}
    for name in device.imaging:
        if name not in wanted:
            continue
        try:
            value = float(wanted[name])
        except ValueError as error:
            raise SoapFault("ter:InvalidArgVal", "This is no number.") from error
        if not 0 <= value <= 100:
            raise SoapFault("ter:InvalidArgVal", "Out of range.", detail="ter:SettingsInvalid")
        device.imaging[name] = value
    return "<timg:SetImagingSettingsResponse/>"


def get_imaging_options(device: Device, body: Element) -> str:
    """0 to 100 each."""
    _check_source(body)
    told = "".join(
        f"<tt:{name}><tt:Min>0</tt:Min><tt:Max>100</tt:Max></tt:{name}>"
        for name in ("Brightness", "Contrast", "Sharpness")
    )
    del device
    return f"<timg:GetOptionsResponse><timg:ImagingOptions>{told}</timg:ImagingOptions></timg:GetOptionsResponse>"


def _check_source(body: Element) -> None:
    if body.text_at("VideoSourceToken") != "source":
        raise SoapFault("ter:InvalidArgVal", "There is no such source.", detail="ter:NoSource")
