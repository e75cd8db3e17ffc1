"""Names of the checks a field may ask for, with what they test; the tests themselves are in `validation`."""

from __future__ import annotations

NAMED_CHECKS = {
    "id_number": "居民身份证号或港澳台、外国人证件号",
    "pupil_number": "学籍号",
    "school_code": "10 位学校标识码",
    "unit_code": "本系统里的单位代码",
    "phone": "手机号或固定电话",
    "mobile": "手机号",
    "email": "电子邮箱",
    "bank_card": "银行卡号",
}
