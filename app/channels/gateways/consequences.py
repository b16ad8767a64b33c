"""What a gateway's error code means for the message. Pure; one table per company.

Sources: help.aliyun.com/document_detail/101346.html (API错误码); cloud.tencent.com/document/api/382/59177 and
/382/52075 (短信 API 3.0 错误码); docs.jiguang.cn/jpush/server/push/rest_api_v3_push (调用返回). Codes that say that the
company itself timed out or broke tell us nothing, and neither do codes that are not here: the fate is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.messaging.sender import NotSent, Refused


class Consequence(StrEnum):
    NEVER = "never"
    """This message, to this number, in these words: never."""
    LATER = "later"
    """Too often for this number: later perhaps; others may go."""
    NOBODY = "nobody"
    """Nobody's message goes now: balance, keys, signature, load. A person or time has to mend it."""


class NobodyKnows(Exception):
    """The gateway answered, and the answer does not say whether the message was taken."""


def _table(**codes: str) -> dict[str, Consequence]:
    return {code: Consequence(of) for of, listed in codes.items() for code in listed.split()}


ALIYUN: Mapping[str, Consequence] = _table(
    never="""isv.MOBILE_NUMBER_ILLEGAL isv.MOBILE_COUNT_OVER_LIMIT isv.TEMPLATE_MISSING_PARAMETERS
        isv.TEMPLATE_PARAMS_ILLEGAL isv.INVALID_PARAMETERS isv.INVALID_JSON_PARAM isv.PARAM_LENGTH_LIMIT
        isv.PARAM_NOT_SUPPORT_URL isv.BLACK_KEY_CONTROL_LIMIT isv.SMS_CONTENT_ILLEGAL isv.SMS_TEMPLATE_ILLEGAL
        isv.SMS_SIGNATURE_SCENE_ILLEGAL isv.DOMESTIC_NUMBER_NOT_SUPPORTED isv.EXTEND_CODE_ERROR""",
    later="isv.BUSINESS_LIMIT_CONTROL",
    nobody="""isv.SMS_SIGNATURE_ILLEGAL isv.SMS_SIGN_ILLEGAL isv.SIGN_STATE_ILLEGAL isv.DAY_LIMIT_CONTROL
        isv.MONTH_LIMIT_CONTROL isv.AMOUNT_NOT_ENOUGH isv.OUT_OF_SERVICE isv.PRODUCT_UN_SUBSCRIPT
        isv.PRODUCT_UNSUBSCRIBE isv.ACCOUNT_NOT_EXISTS isv.ACCOUNT_ABNORMAL isv.DENY_IP_RANGE isp.RAM_PERMISSION_DENY
        SignatureDoesNotMatch IncompleteSignature InvalidAccessKeyId.NotFound InvalidAccessKeyId.Inactive
        InvalidTimeStamp.Expired SignatureNonceUsed Throttling Throttling.User Throttling.Api""",
)
TENCENT: Mapping[str, Consequence] = _table(
    never="""FailedOperation.ContainSensitiveWord FailedOperation.PhoneNumberInBlacklist
        FailedOperation.TemplateIncorrectOrUnapproved FailedOperation.TemplateParamSetNotMatchApprovedTemplate
        FailedOperation.TemplateUnapprovedOrNotExist FailedOperation.FailResolvePacket FailedOperation.JsonParseFail
        FailedOperation.MarketingSendTimeConstraint
        InvalidParameterValue.IncorrectPhoneNumber InvalidParameterValue.ContentLengthLimit
        InvalidParameterValue.TemplateParameterFormatError InvalidParameterValue.TemplateParameterLengthLimit
        InvalidParameterValue.ProhibitedUseUrlInTemplateParameter LimitExceeded.PhoneNumberCountLimit
        UnsupportedOperation.UnsupportedRegion UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber""",
    later="""LimitExceeded.PhoneNumberThirtySecondLimit LimitExceeded.PhoneNumberOneHourLimit
        LimitExceeded.PhoneNumberDailyLimit LimitExceeded.PhoneNumberSameContentDailyLimit
        LimitExceeded.DeliveryFrequencyLimit""",
    nobody="""FailedOperation.SignatureIncorrectOrUnapproved FailedOperation.InsufficientBalanceInSmsPackage
        InvalidParameterValue.SdkAppIdNotExist LimitExceeded.AppDailyLimit InternalError.RequestTimeException
        InternalError.SigFieldMissing InternalError.SigVerificationFail InternalError.RestApiInterfaceNotExist
        LimitExceeded.AppMainlandChinaDailyLimit LimitExceeded.DailyLimit RequestLimitExceeded
        RequestLimitExceeded.IPLimitExceeded RequestLimitExceeded.UinLimitExceeded
        RequestLimitExceeded.GlobalRegionUinLimitExceeded
        UnauthorizedOperation.RequestPermissionDeny UnauthorizedOperation.RequestIpNotInWhitelist
        UnauthorizedOperation.SdkAppIdIsDisabled UnauthorizedOperation.SerivceSuspendDueToArrears
        UnauthorizedOperation.SmsSdkAppIdVerifyFail AuthFailure.SignatureFailure AuthFailure.SignatureExpire
        AuthFailure.SecretIdNotFound AuthFailure.InvalidSecretId AuthFailure.InvalidAuthorization
        AuthFailure.UnauthorizedOperation IpNotInWhitelist IpInBlacklist""",
)
JPUSH: Mapping[str, Consequence] = _table(never="1001 1002 1003 1005 1009 1011", nobody="1004 1008 1020 2002 2003 2005")


def judge(table: Mapping[str, Consequence], code: object) -> Exception:
    """What to raise for an error code. Only codes we know by heart get into our log."""
    known = table.get(str(code))
    if known is Consequence.NEVER:
        return Refused(str(code))
    if known is not None:
        return NotSent(str(code), of_channel=known is Consequence.NOBODY)
    return NobodyKnows()
