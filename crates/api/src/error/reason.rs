//! Every reason that an answer can give: its stable code, its gRPC code, and its sentence in English
//! and Chinese.
//!
//! `{name}` in a sentence stands for a value, which is also in the metadata under that name. Codes
//! are part of the contract: they may be added, never renamed. `errors.txt` holds them all.

use tonic::Code;

mod campaigns;
mod devices;
mod rules;
mod scans;
mod webhooks;

macro_rules! reasons {
    ($($variant:ident $text:literal $code:ident $en:literal $zh:literal)+) => {
        /// Why an answer is not what was asked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $en] $variant,)+
        }

        impl Reason {
            /// Every reason, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The gRPC code that goes with it.
            #[must_use]
            pub fn code(self) -> Code {
                match self { $(Self::$variant => Code::$code,)+ }
            }

            /// The English sentence.
            #[must_use]
            pub fn en(self) -> &'static str {
                match self { $(Self::$variant => $en,)+ }
            }

            /// The Chinese sentence.
            #[must_use]
            pub fn zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)+ }
            }
        }
    };
}

/// All others, and those of webhooks behind them.
macro_rules! and_of_partners {
    ($($others:tt)*) => {
        webhooks::and_of_webhooks! { reasons; $($others)* }
    };
}

/// All others, and those of scans behind them.
macro_rules! and_the_very_last {
    ($($others:tt)*) => {
        scans::and_of_scans! { and_of_partners; $($others)* }
    };
}

/// All others, and those of devices behind them.
macro_rules! and_the_last {
    ($($others:tt)*) => {
        devices::and_of_devices! { and_the_very_last; $($others)* }
    };
}

/// All others, and those of campaigns and draws behind them.
macro_rules! and_the_rest {
    ($($others:tt)*) => {
        campaigns::and_of_campaigns! { and_the_last; $($others)* }
    };
}

rules::and_of_documents! { and_the_rest;
    // Who calls.
    TokenMissing "TOKEN_MISSING" Unauthenticated
        "the request carries no bearer token" "请求未携带访问令牌"
    TokenMalformed "TOKEN_MALFORMED" Unauthenticated
        "the bearer token is not a well-formed JWT" "访问令牌格式不正确"
    TokenAlgorithmRefused "TOKEN_ALGORITHM_REFUSED" Unauthenticated
        "the token must be signed with EdDSA or ES256, as its key says"
        "访问令牌须使用与其密钥一致的EdDSA或ES256算法签名"
    TokenKeyUnknown "TOKEN_KEY_UNKNOWN" Unauthenticated
        "the token names no key that is known here" "访问令牌所指的签名密钥不存在"
    TokenSignatureWrong "TOKEN_SIGNATURE_WRONG" Unauthenticated
        "the signature of the token is wrong" "访问令牌签名验证失败"
    TokenExpired "TOKEN_EXPIRED" Unauthenticated
        "the token expired at {expired_at}" "访问令牌已于北京时间{expired_at}失效"
    TokenNotYetValid "TOKEN_NOT_YET_VALID" Unauthenticated
        "the token is not valid before {valid_from}" "访问令牌自北京时间{valid_from}起方可使用"
    TokenIssuerWrong "TOKEN_ISSUER_WRONG" Unauthenticated
        "the token comes from another issuer" "访问令牌的签发机构不被认可"
    TokenAudienceWrong "TOKEN_AUDIENCE_WRONG" Unauthenticated
        "the token is made for another audience" "访问令牌不适用于本系统"
    TokenLifeTooLong "TOKEN_LIFE_TOO_LONG" Unauthenticated
        "the token is valid for longer than the {seconds_max} seconds allowed"
        "访问令牌有效期超过上限（{seconds_max}秒）"
    TokenClaimInvalid "TOKEN_CLAIM_INVALID" Unauthenticated
        "the claim {claim} of the token is missing or malformed" "访问令牌中的{claim}缺失或不符合要求"
    CaseTokenWrong "CASE_TOKEN_WRONG" Unauthenticated
        "the case token is not one that was given out here" "诉求查询凭证无效"

    // What it may do.
    RoleMissing "ROLE_MISSING" PermissionDenied
        "this needs one of the roles: {roles}" "无权执行此操作，需具备以下角色之一：{roles}"
    OutsideScope "OUTSIDE_SCOPE" PermissionDenied
        "this lies outside what the caller is in charge of" "该事项不在您的管辖或权限范围内"
    RpcUnknown "RPC_UNKNOWN" Unimplemented
        "there is no rpc {rpc}" "不存在该接口：{rpc}"

    // How it was asked.
    RequestInvalid "REQUEST_INVALID" InvalidArgument
        "the request has {count} malformed field(s), first {field}: {problem}"
        "请求中有{count}个字段不符合要求，首个为{field}：{problem}"
    MessageTooLarge "MESSAGE_TOO_LARGE" ResourceExhausted
        "the message is larger than the {bytes_max} bytes allowed" "消息超过大小上限（{bytes_max}字节）"
    MessageMalformed "MESSAGE_MALFORMED" InvalidArgument
        "the message cannot be decoded" "消息无法解析"
    FieldRequired "FIELD_REQUIRED" InvalidArgument
        "must be given" "不能为空"
    FieldTooLong "FIELD_TOO_LONG" InvalidArgument
        "must be at most {max} characters long" "长度不得超过{max}个字符"
    FieldCharacter "FIELD_CHARACTER" InvalidArgument
        "may contain only {allowed}" "只能包含{allowed}"
    FieldNotUuid "FIELD_NOT_UUID" InvalidArgument
        "must be a UUID such as 0198c0de-0000-7000-8000-000000000001"
        "应为UUID，例如0198c0de-0000-7000-8000-000000000001"
    RegistrationNeedsDesk "REGISTRATION_NEEDS_DESK" PermissionDenied
        "only a desk or an administrator registers an enterprise without a unified social credit code whose check digit is right"
        "没有统一社会信用代码或者校验码不符的企业，须由诉求专席或者系统管理员登记"
    FieldNotAllowed "FIELD_NOT_ALLOWED" InvalidArgument
        "must not be given here" "此处不应填写"
    EnterpriseIdMalformed "ENTERPRISE_ID_MALFORMED" InvalidArgument
        "must be an 18-character unified social credit code (GB 32100-2015) or a local id `L-` with 1 to 16 letters or digits"
        "应为18位统一社会信用代码（GB 32100-2015），或以“L-”开头加1至16位字母、数字的本地编号"
    CheckDigitWrong "CHECK_DIGIT_WRONG" InvalidArgument
        "the check digit of this unified social credit code must be {expected}"
        "统一社会信用代码校验位不正确，应为{expected}"
    EnumUnspecified "ENUM_UNSPECIFIED" InvalidArgument
        "must be given" "必须选择"
    EnumUnknown "ENUM_UNKNOWN" InvalidArgument
        "the value {value} is not known" "取值{value}无效"
    ListSize "LIST_SIZE" InvalidArgument
        "must have {min} to {max} entries, not {found}" "条目数应为{min}至{max}，实际为{found}"
    ListDuplicate "LIST_DUPLICATE" InvalidArgument
        "stands twice in the list" "列表中重复"
    NumberRange "NUMBER_RANGE" InvalidArgument
        "must be {min} to {max}" "应在{min}至{max}之间"
    DateInvalid "DATE_INVALID" InvalidArgument
        "is not a date of the years 1900 to 9999" "不是有效日期（1900年至9999年）"
    TimestampInvalid "TIMESTAMP_INVALID" InvalidArgument
        "is not an instant of the years 1900 to 9999" "不是有效时间（1900年至9999年）"
    RangeReversed "RANGE_REVERSED" InvalidArgument
        "must lie after {field_before}" "应晚于{field_before}"
    RangeTooLong "RANGE_TOO_LONG" InvalidArgument
        "must lie at most {years_max} years after {field_before}" "距{field_before}不得超过{years_max}年"
    BoardDimensionNot "BOARD_DIMENSION_NOT" InvalidArgument
        "the rows of this figure have no such dimension" "该指标不能按此维度划分"
    CaseNumberMalformed "CASE_NUMBER_MALFORMED" InvalidArgument
        "must look like SQ250425-7K3M9QX2-R" "应为SQ250425-7K3M9QX2-R形式的诉求编号"
    CaseNumberMistaken "CASE_NUMBER_MISTAKEN" InvalidArgument
        "has a mistake: its last character does not check" "诉求编号有误，校验位不符"
    PositionInvalid "POSITION_INVALID" InvalidArgument
        "is not a position that an answer gave" "不是系统返回的位置标记"
    PositionAhead "POSITION_AHEAD" InvalidArgument
        "the log has not reached this position; it belongs to another log or was altered"
        "日志尚未到达该位置标记，该标记属于其他日志或已被改动"
    PageTokenInvalid "PAGE_TOKEN_INVALID" InvalidArgument
        "is not a page token of this list with these filters for this caller"
        "分页标记无效，或与当前筛选条件、调用者不符"

    // How busy or whole the system is.
    ExportTooLarge "EXPORT_TOO_LARGE" FailedPrecondition
        "there are more than {rows_max} rows; narrow the selection" "超过{rows_max}行，请缩小筛选范围后再导出"
    Overloaded "OVERLOADED" ResourceExhausted
        "too many requests are in progress; try again shortly" "系统繁忙，请稍后重试"
    CallerTooBusy "CALLER_TOO_BUSY" ResourceExhausted
        "this account has {most} calls of this kind open at once; wait until some of them have ended"
        "该账号同时进行的同类请求已达{most}个，请待部分结束后再试"
    DeadlineExceeded "DEADLINE_EXCEEDED" DeadlineExceeded
        "the deadline passed; after a command send the same command again to learn its outcome"
        "处理超时；如为办理请求，请以相同的请求编号重发以确认结果"
    ShuttingDown "SHUTTING_DOWN" Unavailable
        "the server is going down; resume elsewhere from the last position received"
        "服务即将停止，请从最近收到的位置重新连接"
    WatchTooSlow "WATCH_TOO_SLOW" ResourceExhausted
        "the watcher did not read for {seconds} seconds; resume from the last position received"
        "接收方超过{seconds}秒未读取数据，连接已断开，请从最近收到的位置重新连接"
    Fault "FAULT" Internal
        "the system failed; the operator finds the cause under {fault_id}"
        "系统内部错误，请联系运维人员并提供编号{fault_id}"

    // What became of a command.
    CommandIdReused "COMMAND_ID_REUSED" FailedPrecondition
        "the command id was used before for another command" "该请求编号已用于其他请求"
    VersionConflict "VERSION_CONFLICT" Aborted
        "it is at version {actual_version}, not at the version expected"
        "数据已更新至版本{actual_version}，与所期望的版本不一致，请刷新后重试"
    Contended "CONTENDED" Aborted
        "it changed too often meanwhile and is at version {actual_version}; try again"
        "数据正被频繁修改（当前版本{actual_version}），请稍后重试"
    CommandTooLarge "COMMAND_TOO_LARGE" InvalidArgument
        "the command says more than one record of the log can hold" "提交内容过大，超出单条记录上限"
    LogFull "LOG_FULL" ResourceExhausted
        "the log is full; nothing was recorded" "存储空间已满，未作任何记录"
    LogUnavailable "LOG_UNAVAILABLE" Unavailable
        "the log cannot be reached; send the same command again, or try again shortly"
        "日志存储暂时无法访问，请以相同的请求编号重发，或稍后重试"
    OutcomeUnknown "OUTCOME_UNKNOWN" Unavailable
        "it is not known whether the command was recorded; send the same command again"
        "暂时无法确认是否已记录，请以相同的请求编号重发"
    VaultUnavailable "VAULT_UNAVAILABLE" Unavailable
        "the vault of personal data cannot be reached" "个人信息密钥库暂时不可用，请稍后重试"
    ViewBehind "VIEW_BEHIND" Unavailable
        "the view {view} has not reached the position asked for" "视图{view}尚未同步到所要求的位置，请稍后重试"
    ViewUnavailable "VIEW_UNAVAILABLE" Unavailable
        "the views cannot be read at the moment" "查询服务暂时不可用，请稍后重试"
    TooManyVisits "TOO_MANY_VISITS" FailedPrecondition
        "the enterprise has more than {visits_max} visits in the period, too many to count at once"
        "该企业在此期间的检查超过{visits_max}次，无法一次统计"

    // Enterprises.
    EnterpriseNotFound "ENTERPRISE_NOT_FOUND" NotFound
        "there is no such enterprise within the caller's reach" "未找到该企业，或其不在您的查询范围内"
    EnterpriseNotRegistered "ENTERPRISE_NOT_REGISTERED" FailedPrecondition
        "the enterprise is not registered" "该企业尚未登记"
    EnterpriseAlreadyRegistered "ENTERPRISE_ALREADY_REGISTERED" AlreadyExists
        "the enterprise is already registered under another name or in another area"
        "该企业已以其他名称或在其他区域登记"
    AreaUnknown "AREA_UNKNOWN" FailedPrecondition
        "no area has the code {area}" "区划代码{area}不存在"
    AssessedInFuture "ASSESSED_IN_FUTURE" InvalidArgument
        "the assessment is dated {assessed_on}, after today, {today}"
        "评定日期{assessed_on}晚于今日（{today}）"
    GradeValidityReversed "GRADE_VALIDITY_REVERSED" InvalidArgument
        "the grade would end on {valid_until}, before its assessment on {assessed_on}"
        "有效期截止日{valid_until}早于评定日期{assessed_on}"

    // Visits.
    FrequencyPolicyUnpublished "FREQUENCY_POLICY_UNPUBLISHED" FailedPrecondition
        "no frequency policy is published, so no limit could be guaranteed"
        "尚未发布检查频次规则，无法保证频次上限"
    CapReached "CAP_REACHED" ResourceExhausted
        "the limit on inspection visits is reached: {rules}" "已达到涉企检查频次上限：{rules}"
    JustificationMissing "JUSTIFICATION_MISSING" FailedPrecondition
        "the visit passes a limit and needs {wanted}: {rules}" "本次检查将超出频次，须提供{wanted}：{rules}"
    CatalogueUnpublished "CATALOGUE_UNPUBLISHED" FailedPrecondition
        "the unit {unit} has published no inspection catalogue, so there is nothing it may inspect (Guobanfa 2024 No. 54)"
        "单位{unit}尚未公布行政检查清单，清单之外不得检查（国办发〔2024〕54号）"
    UnitUnqualified "UNIT_UNQUALIFIED" FailedPrecondition
        "the unit {unit} is not qualified to inspect on {on} (Guobanfa 2024 No. 54)"
        "单位{unit}在{on}不具备行政检查主体资格（国办发〔2024〕54号）"
    ItemUnpublished "ITEM_UNPUBLISHED" FailedPrecondition
        "the item {item} is not in the unit's published catalogue (Guobanfa 2024 No. 54)"
        "检查事项{item}未列入本单位公布的行政检查清单，清单之外不得检查（国办发〔2024〕54号）"
    TriggerOnly "TRIGGER_ONLY" FailedPrecondition
        "the item {item} is inspected only on a trigger, and the ground is none"
        "检查事项{item}为触发式检查，当前检查事由不属于触发情形"
    OffSiteOnly "OFF_SITE_ONLY" FailedPrecondition
        "the item {item} is inspected off site only" "检查事项{item}仅适用非现场检查，不得入企"
    OffSitePossible "OFF_SITE_POSSIBLE" FailedPrecondition
        "the item {item} can be inspected off site, so a visit needs a reason (Guobanfa 2024 No. 54)"
        "检查事项{item}可以非现场方式完成，入企检查须说明理由（国办发〔2024〕54号）"
    OfficerInvalid "OFFICER_INVALID" FailedPrecondition
        "the certificate {certificate} is none of the unit's that is valid that day (Administrative Penalty Law, article 42)"
        "执法证{certificate}不属于本单位，或在当日无效（行政处罚法第四十二条）"
    EvidenceMissing "EVIDENCE_MISSING" InvalidArgument
        "the ground is exempt from a limit and needs a reference to its evidence"
        "该检查事由不计入频次，须提供依据材料的编号"
    TooFewOfficers "TOO_FEW_OFFICERS" InvalidArgument
        "a visit needs at least {officers_min} officers, {found} given (Administrative Penalty Law, article 42)"
        "执法人员不得少于{officers_min}人，实际为{found}人（行政处罚法第四十二条）"
    NoItems "NO_ITEMS" InvalidArgument
        "a visit needs at least one inspection item" "至少应有一个检查事项"
    DateOutOfRange "DATE_OUT_OF_RANGE" InvalidArgument
        "the planned day {on} must lie between {from} and {until}"
        "计划日期{on}应在{from}至{until}之间"
    VisitPlannedDifferently "VISIT_PLANNED_DIFFERENTLY" AlreadyExists
        "the visit {visit} is already planned differently" "检查{visit}已按其他内容计划"
    VisitUnknown "VISIT_UNKNOWN" NotFound
        "there is no visit {visit} to this enterprise within the caller's reach"
        "该企业没有编号为{visit}的检查，或其不在您的查询范围内"
    VisitOtherUnit "VISIT_OTHER_UNIT" PermissionDenied
        "the visit belongs to the unit {owner}" "该检查由{owner}负责，其他单位无权办理"
    VisitWrongPhase "VISIT_WRONG_PHASE" FailedPrecondition
        "the visit is {found}, this needs it {wanted}" "该检查当前为“{found}”，须为“{wanted}”方可办理"
    InFuture "IN_FUTURE" InvalidArgument
        "{occurred_at} lies in the future" "北京时间{occurred_at}晚于当前时间"
    BeforePlannedDay "BEFORE_PLANNED_DAY" FailedPrecondition
        "the visit is planned for {on}" "该检查计划于{on}进行，不得提前"
    OutBeforeIn "OUT_BEFORE_IN" InvalidArgument
        "the check-out lies before the check-in at {checked_in_at}"
        "签退时间早于签到时间（北京时间{checked_in_at}）"
    ItemsDiffer "ITEMS_DIFFER" InvalidArgument
        "the results must name each planned item exactly once; {item} is missing, twice or not planned"
        "检查结果须与计划事项一一对应；事项{item}缺失、重复或不在计划内"
    NotYetExpired "NOT_YET_EXPIRED" FailedPrecondition
        "the visit expires only after {on}" "该检查须在{on}之后方可作过期处理"

    // Appeals.
    AppealUnknown "APPEAL_UNKNOWN" NotFound
        "there is no such appeal within the caller's reach" "未找到该诉求，或其不在您的查询范围内"
    AppealSubmittedDifferently "APPEAL_SUBMITTED_DIFFERENTLY" AlreadyExists
        "the appeal is already submitted with another content" "该诉求已以其他内容提交"
    AppealWrongPhase "APPEAL_WRONG_PHASE" FailedPrecondition
        "the appeal is {found}, this needs it {wanted}" "该诉求当前为“{found}”，须为“{wanted}”方可办理"
    AppealOtherUnit "APPEAL_OTHER_UNIT" PermissionDenied
        "the appeal is with the unit {owner}" "该诉求由{owner}承办，其他单位无权办理"
    RoutingUnpublished "ROUTING_UNPUBLISHED" FailedPrecondition
        "no routing table is published" "尚未发布分办规则"
    UnitUnknown "UNIT_UNKNOWN" FailedPrecondition
        "the routing table lists no unit {unit} that can be reached" "分办规则中没有可受理的单位{unit}"
    PersonalDataErased "PERSONAL_DATA_ERASED" FailedPrecondition
        "the personal data of the appeal were erased, nothing can be added"
        "该诉求的个人信息已被清除，不能再补充内容"
    AlreadySo "ALREADY_SO" FailedPrecondition
        "it is already so, and nothing would change" "当前已是该状态，无需办理"
    CaseTypesUnpublished "CASE_TYPES_UNPUBLISHED" FailedPrecondition
        "no case type is published" "尚未发布诉求类型"
    CaseTypeUnknown "CASE_TYPE_UNKNOWN" FailedPrecondition
        "there is no case type {case_type}" "诉求类型{case_type}不存在"
    CaseClassUnknown "CASE_CLASS_UNKNOWN" FailedPrecondition
        "the case type has no class {class}" "该诉求类型没有分类{class}"
    CompetentElsewhere "COMPETENT_ELSEWHERE" FailedPrecondition
        "the competent body lies outside this city, redirect the appeal: {guidance}"
        "有管辖权的单位不在本市，请引导至法定途径：{guidance}"
    DispatchFinal "DISPATCH_FINAL" FailedPrecondition
        "the dispatch is final: it was ruled on or cannot be returned" "分办已成定论，不得再次退单"
    ContestTooLate "CONTEST_TOO_LATE" FailedPrecondition
        "the time to object to the dispatch ended at {until}" "退单时限已于北京时间{until}届满"
    ProposalMissing "PROPOSAL_MISSING" InvalidArgument
        "the objection proposes no unit, name one" "退单单位未提出建议承办单位，请指定"
    ObjectorAgain "OBJECTOR_AGAIN" FailedPrecondition
        "the unit {unit} objected, rule on its objection instead" "{unit}已提出退单，请先作出裁定"
    Guaranteed "GUARANTEED" FailedPrecondition
        "the guarantee unit owns the appeal, which neither returns nor hands it over"
        "该诉求已由兜底单位承接，不得退单、移交或并案"
    NotGuaranteed "NOT_GUARANTEED" FailedPrecondition
        "the guarantee does not own the appeal yet" "该诉求尚未进入兜底办理"
    ExtensionTooLate "EXTENSION_TOO_LATE" FailedPrecondition
        "an extension must be asked for at least one working day before {due}"
        "延期须在到期（北京时间{due}）前至少1个工作日提出"
    ExtensionSpent "EXTENSION_SPENT" FailedPrecondition
        "no further extension is possible" "不能再次延期"
    TooManyDays "TOO_MANY_DAYS" InvalidArgument
        "at most {max} working days are possible" "最多{max}个工作日"
    ExtensionNotAsked "EXTENSION_NOT_ASKED" FailedPrecondition
        "no extension was asked for" "没有待审批的延期申请"
    Paused "PAUSED" FailedPrecondition
        "the handling stands still, resume it first" "办理已中止，请先恢复办理"
    PauseTooLate "PAUSE_TOO_LATE" FailedPrecondition
        "what is overdue cannot be paused" "已超期的，不得中止"
    TaskUnknown "TASK_UNKNOWN" NotFound
        "the unit has no such open task on this appeal" "该单位在本诉求中没有此项待答复的协办任务"
    TaskRedundant "TASK_REDUNDANT" FailedPrecondition
        "the unit {unit} leads, or has an open task already" "{unit}为承办单位，或已有未完成的协办任务"
    OrdersOpen "ORDERS_OPEN" FailedPrecondition
        "{open} orders of the joint diagnosis are still open" "联合问诊任务尚有{open}项未完成"
    AlreadyRated "ALREADY_RATED" AlreadyExists
        "this handling is already rated" "本次办理已评价"
    EnterpriseToSpeak "ENTERPRISE_TO_SPEAK" FailedPrecondition
        "the enterprise has not spoken yet and its time is not over"
        "企业尚未反馈意见，且反馈时限未到"
    EnterpriseDissatisfied "ENTERPRISE_DISSATISFIED" FailedPrecondition
        "the enterprise said on the phone that it is not satisfied: object for it, or call again"
        "企业在回访中表示不满意，请代其提出异议，或再次回访"
    ReopenTooLate "REOPEN_TOO_LATE" FailedPrecondition
        "the time to take it up again ended on {last}" "申请重办的期限已于{last}届满"
    MergeImpossible "MERGE_IMPOSSIBLE" FailedPrecondition
        "the appeal can only be merged into another open one of the same enterprise that is not younger, is at least as confidential, and promises a result no later"
        "只能并入同一企业的其他未办结诉求，且该诉求提交不晚于本诉求、保密等级不低于本诉求、办理时限不晚于本诉求"
    MergedTooOften "MERGED_TOO_OFTEN" FailedPrecondition
        "the appeal was merged more than {max} times, address the one that it goes on in"
        "该诉求并案次数超过{max}次，请直接在并入的诉求上办理"
    TooMany "TOO_MANY" FailedPrecondition
        "the appeal has {max} of these already" "该诉求的此类内容已达上限（{max}）"
    CallbackMissing "CALLBACK_MISSING" FailedPrecondition
        "nobody speaks for the enterprise before a callback has reached it"
        "尚未回访到企业，不得代为提出异议"
    VisibilityPublicOnly "VISIBILITY_PUBLIC_ONLY" InvalidArgument
        "what an enterprise adds is public" "企业补充的内容只能为公开"
    MediationImpossible "MEDIATION_IMPOSSIBLE" FailedPrecondition
        "cases of this type have no mediation" "该类诉求不适用调解"
    MediationNotOpen "MEDIATION_NOT_OPEN" FailedPrecondition
        "no mediation is under way" "当前没有进行中的调解"
    WouldBeSilent "WOULD_BE_SILENT" FailedPrecondition
        "the appeal would be with nobody" "办理后该诉求将无人负责，不予办理"

    // Files.
    UploadOrder "UPLOAD_ORDER" InvalidArgument
        "an upload is one description and then chunks" "上传应先发送一次文件说明，再发送内容分块"
    UploadStalled "UPLOAD_STALLED" DeadlineExceeded
        "nothing of the upload came for {seconds_max} seconds; send it again from the start"
        "已有{seconds_max}秒未收到上传内容，请重新上传"
    ChunkSize "CHUNK_SIZE" InvalidArgument
        "a chunk must have 1 to {bytes_max} bytes" "内容分块应为1至{bytes_max}字节"
    FileSize "FILE_SIZE" InvalidArgument
        "a file must have 1 to {bytes_max} bytes" "文件大小应为1至{bytes_max}字节"
    FileLength "FILE_LENGTH" InvalidArgument
        "the content has {measure} the {bytes} bytes that were said"
        "文件内容{measure}所声明的{bytes}字节"
    FileTypeNotAllowed "FILE_TYPE_NOT_ALLOWED" InvalidArgument
        "must be one of {allowed}" "文件类型应为以下之一：{allowed}"
    FileTypeMismatch "FILE_TYPE_MISMATCH" InvalidArgument
        "the content is not {media_type}" "文件内容与所声明的类型{media_type}不符"
    FileHashMismatch "FILE_HASH_MISMATCH" InvalidArgument
        "the content does not have this hash" "文件内容与所声明的摘要值不符"
    FileUnknown "FILE_UNKNOWN" NotFound
        "there is no such file within the caller's reach" "未找到该文件，或其不在您的查询范围内"
    FileErased "FILE_ERASED" NotFound
        "the file was erased with the personal data of the appeal" "该文件已随诉求的个人信息一并清除"
    FilesUnavailable "FILES_UNAVAILABLE" Unavailable
        "the store of files cannot be reached" "文件存储暂时不可用，请稍后重试"
    ClockUnknown "CLOCK_UNKNOWN" NotFound
        "no such clock runs: what it stood for is done, or was never owed"
        "没有该项时限在计时：所涉事项已办结，或从未产生"

    // Joint diagnoses.
    DiagnosisUnknown "DIAGNOSIS_UNKNOWN" NotFound
        "there is no such joint diagnosis within the caller's reach" "未找到该联合问诊，或其不在您的查询范围内"
    DiagnosisConvenedDifferently "DIAGNOSIS_CONVENED_DIFFERENTLY" AlreadyExists
        "the joint diagnosis is already convened with another content" "该联合问诊已以其他内容召集"
    DiagnosisPanelSize "DIAGNOSIS_PANEL_SIZE" InvalidArgument
        "a joint diagnosis calls 1 to {max} units together, not {found}"
        "联合问诊的会诊单位应为1至{max}个，实际为{found}个"
    DiagnosisQuorumOutOfReach "DIAGNOSIS_QUORUM_OUT_OF_REACH" InvalidArgument
        "the quorum is {quorum}, it must be 1 to the number of units, {units}"
        "须达到的意见数为{quorum}，应在1至会诊单位数（{units}）之间"
    DiagnosisWrongPhase "DIAGNOSIS_WRONG_PHASE" FailedPrecondition
        "the joint diagnosis is {found}, this needs it {wanted}"
        "该联合问诊当前为“{found}”，须为“{wanted}”方可办理"
    DiagnosisUnitNotConvened "DIAGNOSIS_UNIT_NOT_CONVENED" PermissionDenied
        "the unit {unit} is not convened" "单位{unit}不是该联合问诊的会诊单位"
    DiagnosisOtherUnit "DIAGNOSIS_OTHER_UNIT" PermissionDenied
        "only the unit that convened it, {convener}, concludes" "仅召集单位{convener}可以作出会诊结论"
    DiagnosisQuorumMissing "DIAGNOSIS_QUORUM_MISSING" FailedPrecondition
        "{heard} of {quorum} opinions are given, and there is time for more until {until}"
        "已收到{heard}份意见，须达到{quorum}份；其余单位的意见时限至北京时间{until}届满"
    DiagnosisOrderCount "DIAGNOSIS_ORDER_COUNT" InvalidArgument
        "a conclusion issues 1 to {max} orders, not {found}" "会诊结论应下达1至{max}项任务，实际为{found}项"
    DiagnosisOrderTime "DIAGNOSIS_ORDER_TIME" InvalidArgument
        "an order allows 1 to {max} working days, not {found}"
        "会诊任务的时限应为1至{max}个工作日，实际为{found}个"
    DiagnosisUnsound "DIAGNOSIS_UNSOUND" InvalidArgument
        "a joint diagnosis needs 1 to 20 distinct units and a quorum of 1 to their number"
        "联合问诊须有1至20个互不相同的会诊单位，须达到的意见数应在1至会诊单位数之间"
    DiagnosisOpen "DIAGNOSIS_OPEN" FailedPrecondition
        "a joint diagnosis is under way" "联合问诊正在进行"
    DiagnosisNoStandingRule "DIAGNOSIS_NO_STANDING_RULE" FailedPrecondition
        "the conclusion made no standing rule" "该会诊结论未形成常设规则"
}

/// Three lines for each reason, in catalogue order: code, gRPC code, English, Chinese. The committed
/// `errors.txt` must equal it.
#[must_use]
pub fn catalogue() -> String {
    let lines = |reason: &Reason| {
        let (text, code) = (reason.as_str(), reason.code());
        format!("{text} {code:?}\n  {}\n  {}\n", reason.en(), reason.zh())
    };
    Reason::ALL.iter().map(lines).collect()
}
