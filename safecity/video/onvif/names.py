"""The namespaces of ONVIF's services, and the spaces in which heads move."""

from typing import Final

SCHEMA: Final = "http://www.onvif.org/ver10/schema"
DEVICE: Final = "http://www.onvif.org/ver10/device/wsdl"
MEDIA: Final = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2: Final = "http://www.onvif.org/ver20/media/wsdl"
PTZ: Final = "http://www.onvif.org/ver20/ptz/wsdl"
IMAGING: Final = "http://www.onvif.org/ver20/imaging/wsdl"
EVENTS: Final = "http://www.onvif.org/ver10/events/wsdl"
SEARCH: Final = "http://www.onvif.org/ver10/search/wsdl"
RECORDING: Final = "http://www.onvif.org/ver10/recording/wsdl"
REPLAY: Final = "http://www.onvif.org/ver10/replay/wsdl"
NOTIFICATION: Final = "http://docs.oasis-open.org/wsn/b-2"
ADDRESSING: Final = "http://www.w3.org/2005/08/addressing"

GENERIC_PAN_TILT: Final = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace"
GENERIC_ZOOM: Final = "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace"
FOV_TRANSLATION: Final = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/TranslationSpaceFov"

CAPABILITIES: Final = {
    "Device": DEVICE,
    "Media": MEDIA,
    "PTZ": PTZ,
    "Imaging": IMAGING,
    "Events": EVENTS,
    "Extension/Recording": RECORDING,
    "Extension/Search": SEARCH,
    "Extension/Replay": REPLAY,
}
"""Where GetCapabilities tells the address of each service, for devices without GetServices."""
