//! The reasons that special campaigns and random draws give, told from the others only because one file is too
//! short for all.

/// Hands the reasons given and those of campaigns and draws to a macro, in this order.
macro_rules! and_of_campaigns {
    ($make:ident; $($others:tt)*) => {
        $make! {
            $($others)*

            // Special campaigns.
            CampaignUnknown "CAMPAIGN_UNKNOWN" NotFound
                "there is no such campaign within the caller's reach" "未找到该专项检查，或其不在您的查询范围内"
            CampaignProposedDifferently "CAMPAIGN_PROPOSED_DIFFERENTLY" AlreadyExists
                "the campaign is already proposed with another plan" "该专项检查已以其他计划提出"
            CampaignOrganiserTwice "CAMPAIGN_ORGANISER_TWICE" InvalidArgument
                "the organiser {unit} is named among the units that take part beside it"
                "组织单位{unit}不得同时列为参与单位"
            CampaignPeriod "CAMPAIGN_PERIOD" InvalidArgument
                "the campaign would last from {from} to {until}, it must be 1 to {max} days"
                "专项检查期限为{from}至{until}，应为1至{max}日"
            CampaignApprovedByParticipant "CAMPAIGN_APPROVED_BY_PARTICIPANT" PermissionDenied
                "the unit {unit} takes part in the campaign and cannot approve it"
                "单位{unit}参与该专项检查，不得自行批准"
            CampaignLevelTooLow "CAMPAIGN_LEVEL_TOO_LOW" InvalidArgument
                "only a government of a county or above, or an organ of that level, approves a campaign"
                "专项检查须经县级以上人民政府或者上级主管部门批准"
            CampaignNotSuperior "CAMPAIGN_NOT_SUPERIOR" InvalidArgument
                "an approver at the level {approver} does not stand high enough over an organiser at the level {organiser}: a government must not stand below it, an organ must stand above it"
                "批准机关为{approver}，组织单位为{organiser}；批准的人民政府不得低于组织单位层级，主管部门须为其上级"
            CampaignApproverDiffers "CAMPAIGN_APPROVER_DIFFERS" InvalidArgument
                "by its catalogue {unit} is an organ at the level {level}, and no government"
                "据其公布的行政检查清单，{unit}为{level}行政机关，并非人民政府"
            CampaignOtherUnit "CAMPAIGN_OTHER_UNIT" PermissionDenied
                "only the organiser {organiser} does this" "仅组织单位{organiser}可以办理"
            CampaignWrongPhase "CAMPAIGN_WRONG_PHASE" FailedPrecondition
                "the campaign is {found}, this needs it {wanted}"
                "该专项检查当前为“{found}”，须为“{wanted}”方可办理"
            CampaignNotPublished "CAMPAIGN_NOT_PUBLISHED" FailedPrecondition
                "the campaign is {found}, and only a published one is referred to"
                "该专项检查当前为“{found}”，公布后方可据以检查"
            CampaignUnitOutside "CAMPAIGN_UNIT_OUTSIDE" FailedPrecondition
                "the unit {unit} does not take part in the campaign" "单位{unit}不是该专项检查的组织或参与单位"
            CampaignItemOutside "CAMPAIGN_ITEM_OUTSIDE" FailedPrecondition
                "the campaign is not about the item {item}" "检查事项{item}不在该专项检查范围内"
            CampaignAreaOutside "CAMPAIGN_AREA_OUTSIDE" FailedPrecondition
                "the campaign does not take place in the enterprise's area" "企业所在区域不在该专项检查范围内"
            CampaignEnterpriseOutside "CAMPAIGN_ENTERPRISE_OUTSIDE" FailedPrecondition
                "the campaign is not about such an enterprise" "该企业不属于该专项检查的检查对象"
            CampaignDayOutside "CAMPAIGN_DAY_OUTSIDE" FailedPrecondition
                "the campaign lasts from {from} to {until}, which {on} is outside of"
                "该专项检查期限为{from}至{until}，{on}不在期限内"

            // Random draws.
            DrawUnknown "DRAW_UNKNOWN" NotFound
                "there is no such draw within the caller's reach" "未找到该抽查，或其不在您的查询范围内"
            DrawOpenedDifferently "DRAW_OPENED_DIFFERENTLY" AlreadyExists
                "the draw is already open with another content" "该抽查已以其他内容发起"
            DrawRatioOutside "DRAW_RATIO_OUTSIDE" InvalidArgument
                "{percent} percent of grade {grade} are to be drawn, it must be {min} to {max} percent"
                "{grade}级企业的抽查比例为{percent}%，应在{min}%至{max}%之间"
            DrawOfficersPerVisit "DRAW_OFFICERS_PER_VISIT" InvalidArgument
                "each enterprise is given {found} officers, it must be {min} to {max}"
                "每户企业应选派{min}至{max}名执法人员，实际为{found}名"
            DrawOfficerCount "DRAW_OFFICER_COUNT" InvalidArgument
                "there are {found} officers to draw from, it must be {min} to {max}"
                "可供抽取的执法人员应为{min}至{max}名，实际为{found}名"
            DrawOtherUnit "DRAW_OTHER_UNIT" PermissionDenied
                "only the unit {unit} that opened the draw does this" "仅发起抽查的单位{unit}可以办理"
            DrawAvoidCount "DRAW_AVOID_COUNT" InvalidArgument
                "{found} officers must avoid an enterprise, at most {max} may at once"
                "一次提交的回避人员合计不得超过{max}名，实际为{found}名"
            DrawCandidateTwice "DRAW_CANDIDATE_TWICE" FailedPrecondition
                "the enterprise {enterprise} is in the pool already, with another content"
                "企业{enterprise}已以其他内容列入抽查对象"
            DrawTooFewFree "DRAW_TOO_FEW_FREE" FailedPrecondition
                "{free} officers need not avoid the enterprise {enterprise}, {min} are needed"
                "企业{enterprise}除回避人员外仅有{free}名执法人员，至少须有{min}名"
            DrawPoolTooLarge "DRAW_POOL_TOO_LARGE" FailedPrecondition
                "the pool would have {found} candidates, at most {max} are allowed"
                "抽查对象将达{found}户，不得超过{max}户"
            DrawTooLarge "DRAW_TOO_LARGE" FailedPrecondition
                "{drawn} enterprises would be drawn from {officers} officers, the product may be at most {max}; make several draws of it"
                "将抽取{drawn}户企业、执法人员{officers}名，两数乘积不得超过{max}，请分批抽查"
            DrawPoolEmpty "DRAW_POOL_EMPTY" FailedPrecondition
                "the pool is empty" "尚未列入抽查对象"
            DrawPoolClosed "DRAW_POOL_CLOSED" FailedPrecondition
                "the draw is made, its pool is closed" "抽查已完成，不得再列入抽查对象"
        }
    };
}

pub(super) use and_of_campaigns;
