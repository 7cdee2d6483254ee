//! The reasons that scans, codes and what comes after a visit give, told from the others only because one file is
//! too short for all.

/// Hands the reasons given and those of scans to a macro, in this order.
macro_rules! and_of_scans {
    ($make:ident; $($others:tt)*) => {
        $make! {
            $($others)*

            // Scans and their codes, and what comes after a visit.
            CodeTooLong "CODE_TOO_LONG" InvalidArgument
                "a code has at most {characters_max} characters" "二维码内容不得超过{characters_max}个字符"
            CodeNotOurs "CODE_NOT_OURS" InvalidArgument
                "the text is no code of this system" "所扫内容不是本系统的二维码"
            CodeMalformed "CODE_MALFORMED" InvalidArgument
                "the code is damaged or cut off" "二维码内容损坏或不完整"
            CodeVersionUnknown "CODE_VERSION_UNKNOWN" InvalidArgument
                "the code is of a version that is not known here" "二维码版本无法识别"
            CodeAlgorithmUnknown "CODE_ALGORITHM_UNKNOWN" InvalidArgument
                "the code is signed with an algorithm that is not known here" "二维码的签名算法无法识别"
            CodeKeyUnknown "CODE_KEY_UNKNOWN" FailedPrecondition
                "the code is signed with a key that is not, or no longer, in use" "二维码的签名密钥不存在或已停用"
            CodeForged "CODE_FORGED" InvalidArgument
                "the signature of the code is false" "二维码签名验证失败，可能系伪造"
            CodeExpired "CODE_EXPIRED" FailedPrecondition
                "the code expired at {expired_at}" "二维码已于北京时间{expired_at}失效"
            CodeNotYetValid "CODE_NOT_YET_VALID" FailedPrecondition
                "the code is not valid before {valid_from}" "二维码自北京时间{valid_from}起方可使用"
            CodeOtherKind "CODE_OTHER_KIND" InvalidArgument
                "another kind of code is needed here" "此处需要扫描另一种二维码"
            CodeOfOther "CODE_OF_OTHER" FailedPrecondition
                "the code belongs to another enterprise" "该二维码属于其他企业"
            CodeMissing "CODE_MISSING" InvalidArgument
                "a scan needs the code of the enterprise or of the visit" "入企检查须扫描企业码或检查任务码"
            CodeRevoked "CODE_REVOKED" FailedPrecondition
                "the code was revoked, has ended, or is none of this enterprise's" "二维码已作废、已到期或不属于该企业"
            CodeReplayed "CODE_REPLAYED" FailedPrecondition
                "the code was used for another scan" "该二维码已用于另一次扫码"
            CodeLife "CODE_LIFE" InvalidArgument
                "a code must live longer than now and at most {days_max} days" "企业码的有效期须晚于当前时间且不超过{days_max}日"
            CodesTooMany "CODES_TOO_MANY" ResourceExhausted
                "the enterprise has {codes_max} codes in force; revoke one first" "该企业有效的企业码已达{codes_max}个，请先作废一个"
            CodeUnknown "CODE_UNKNOWN" NotFound
                "the enterprise has no code {code}" "该企业没有企业码{code}"
            CodesUnavailable "CODES_UNAVAILABLE" FailedPrecondition
                "this server has no key to sign codes with" "本系统未配置二维码签名密钥"
            TaskCodeNotYet "TASK_CODE_NOT_YET" FailedPrecondition
                "a visit's code is shown once it is approved, from its planned day on" "检查经批准后，自计划检查日起方可出示检查任务码"
            PlaceInvalid "PLACE_INVALID" InvalidArgument
                "the place must be degrees times a million, within 90 and 180 degrees, with an accuracy of at most 100000 metres"
                "位置须为经纬度乘以一百万，纬度不超过90度、经度不超过180度，精度不超过100000米"
            VisitsHeld "VISITS_HELD" FailedPrecondition
                "the complaint {appeal} about an earlier visit is not answered yet" "企业对此前检查的投诉（{appeal}）尚未答复，本单位其他检查暂缓"
            NotUrgent "NOT_URGENT" FailedPrecondition
                "only an urgent visit begins without a plan" "除紧急情形外，检查须先经计划"
            NotMergeable "NOT_MERGEABLE" FailedPrecondition
                "the visit cannot become part of the visit {into}: it is too far off, of several units, or of a unit that takes part already"
                "该检查不能并入检查{into}：日期相距过远、已有多个单位参加，或者本单位已参加"
            NothingToRectify "NOTHING_TO_RECTIFY" FailedPrecondition
                "nothing of the item {item} is to be rectified" "检查事项{item}没有待整改的问题"
            RectifyByOutOfRange "RECTIFY_BY_OUT_OF_RANGE" InvalidArgument
                "the day {on} to rectify by must lie between {from} and {until}" "整改期限{on}应在{from}至{until}之间"
            ChecklistDiffers "CHECKLIST_DIFFERS" InvalidArgument
                "the checklist of {item} has {lines} line(s), and what passes meets all of them"
                "检查事项{item}的检查内容共{lines}项；结果为合格的，不得列有不符合项"
            ItemDisputed "ITEM_DISPUTED" FailedPrecondition
                "the catalogues of the units differ about the item {item}, its field or its checklist"
                "各单位公布的检查清单对检查事项{item}的领域或者检查内容规定不一致"
            RecheckMissing "RECHECK_MISSING" InvalidArgument
                "a recheck must name the visit whose findings it looks at again" "整改复核须注明所复核的检查"
            RecheckNotAllowed "RECHECK_NOT_ALLOWED" InvalidArgument
                "only a recheck names a visit that it looks at again" "仅整改复核可以注明所复核的检查"
            RecheckUnfounded "RECHECK_UNFOUNDED" FailedPrecondition
                "the visit {visit} left nothing to rectify that this one would look at again" "检查{visit}没有须由本次复核的整改事项"
            VisitCampaignMissing "VISIT_CAMPAIGN_MISSING" InvalidArgument
                "a visit of a special campaign must name it" "专项检查须注明所属的专项检查计划"
            VisitCampaignNotAllowed "VISIT_CAMPAIGN_NOT_ALLOWED" InvalidArgument
                "only a visit of a special campaign names one" "仅专项检查可以注明专项检查计划"
            VisitNotMade "VISIT_NOT_MADE" FailedPrecondition
                "the visit {visit} did not take place, so there is nothing to rate" "检查{visit}并未进行，无从评价"
            VisitRatedAlready "VISIT_RATED_ALREADY" AlreadyExists
                "the visit {visit} is rated already, and a rating stays as it was given" "检查{visit}已经评价，评价提交后不可更改"
            OnSiteOnly "ON_SITE_ONLY" FailedPrecondition
                "the item {item} is not inspected off site" "检查事项{item}不适用非现场检查"
        }
    };
}

pub(super) use and_of_scans;
