"""What every slice of the settings stands on."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=0, le=65535)]


class Slice(BaseModel):
    """One table of the settings, frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
