"""Words that stand in every document for what the model names by code."""

from jiaoheng.documents.model import Tone

TONES = {Tone.INFO: "说明", Tone.WARN: "注意", Tone.BAD: "须处理"}
CONTENTS = "目录"  # the first sheet of our workbooks
CONTENTS_HEADS = ("序号", "表", "工作表", "行数")
