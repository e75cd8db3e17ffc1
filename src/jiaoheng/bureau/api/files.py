"""Files: sending one, what is known of it, its bytes."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import FileResponse, HttpRequest
from ninja import File, Form, Path, Query, Router, Status, UploadedFile

from jiaoheng.bureau.api.auth import READ, WRITE, account_of
from jiaoheng.bureau.api.problems import ApiProblem
from jiaoheng.bureau.api.schemas import MOST_ID, FileOut
from jiaoheng.bureau.api.strict_json import is_clean
from jiaoheng.bureau.core.access import access_attachment, access_unit
from jiaoheng.bureau.core.actions_files import store_file
from jiaoheng.bureau.core.files import open_file
from jiaoheng.bureau.core.models import Attachment

router = Router(auth=READ, tags=["files"])


@router.post("/files", response={201: FileOut}, operation_id="send_file", auth=WRITE, summary="上传文件")
def send(
    request: HttpRequest,
    file: File[UploadedFile],
    unit: Annotated[int, Form(ge=1, le=MOST_ID)],
    kind: Annotated[Literal["photo", "document"], Form()] = "document",
    key: Annotated[str, Form(max_length=64, description="同一次上传的编号，重发不会多存")] = "",
) -> Status[FileOut]:
    """A photo or document for a unit; its id goes into a record's value. The same bytes sent again are stored once."""
    if not is_clean(key) or not is_clean(file.name or ""):
        raise ApiProblem(400, "parameter-text", "文件名或编号里有不能用的字符，请删去")
    account = account_of(request)
    made = store_file(
        file, file.name or "file", kind, unit=access_unit(account, unit), upload_key=key, acting_user=account
    )
    return Status(201, _out(made))


@router.get("/files/{str:file_id}", response=FileOut, operation_id="get_file", summary="一个文件的情况")
def about(request: HttpRequest, file_id: Path[str]) -> FileOut:
    """What is known of a file that one may read."""
    return _out(access_attachment(account_of(request), file_id))


@router.get(
    "/files/{str:file_id}/content",
    operation_id="get_content",
    summary="下载文件",
    response={200: None},
    openapi_extra={
        "responses": {
            200: {"description": "OK", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
        }
    },
)
def content(
    request: HttpRequest,
    file_id: Path[str],
    variant: Annotated[Literal["", "small"], Query(description="small：图片的小图")] = "",
) -> FileResponse:
    """The bytes, through the same door and with the same safe heads as on a page."""
    served = open_file(account_of(request), file_id, variant)
    response = FileResponse(served.open())
    for name, value in served.headers.items():
        response[name] = value
    return response


def _out(one: Attachment) -> FileOut:
    return FileOut(
        id=str(one.pk),
        name=one.name,
        kind=one.kind,
        media_type=one.media_type,
        size=one.size,
        sha256=one.sha256,
        unit_id=one.unit_id,
        created_at=one.created_at,
    )
