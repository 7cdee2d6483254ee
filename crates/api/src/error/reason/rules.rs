//! The reasons that a policy document gives, told from the others only because one file is too short for all.

/// Hands the reasons given and those of policy documents to a macro, in this order.
macro_rules! and_of_documents {
    ($make:ident; $($others:tt)*) => {
        $make! {
            $($others)*

            // Policies.
            PolicyUnsound "POLICY_UNSOUND" InvalidArgument
                "the document has {count} problem(s), first: {problem}"
                "文件存在{count}处问题，首个为：{problem}"
            PolicyNotInForce "POLICY_NOT_IN_FORCE" NotFound
                "no version of this document is in force" "该文件尚无生效版本"
            PolicyVersionUnknown "POLICY_VERSION_UNKNOWN" NotFound
                "there is no version {document_version}" "不存在第{document_version}版"
            PolicyVersionRetired "POLICY_VERSION_RETIRED" FailedPrecondition
                "version {document_version} is retired; draft its content again"
                "第{document_version}版已废止，请重新起草"
            PolicyUntried "POLICY_UNTRIED" InvalidArgument
                "an inspection catalogue cannot be tried out on the log; a frequency policy, a routing table, case types or a work calendar can"
                "检查事项清单不能试算，可试算的文件为频次规则、分办规则、诉求类型、工作日历"
            WhatIfBusy "WHAT_IF_BUSY" ResourceExhausted
                "{max} documents are being tried out already; try again later"
                "已有{max}份文件正在试算，请稍后再试"
            CalendarOrder "CALENDAR_ORDER" InvalidArgument
                "the calendar lists {date} twice or out of order" "工作日历中{date}重复或未按日期升序排列"
            CalendarYear "CALENDAR_YEAR" InvalidArgument
                "the calendar lists {date} but does not declare its year as loaded"
                "工作日历列有{date}，但未声明该年份已载入"
            CalendarYears "CALENDAR_YEARS" InvalidArgument
                "the calendar must declare its loaded years in ascending order, at least one"
                "工作日历须按升序声明已载入的年份，且至少一个"
            CalendarHours "CALENDAR_HOURS" InvalidArgument
                "the hours of business must be ascending intervals that do not overlap"
                "办公时间须为按升序排列且互不重叠的时段"
            CalendarHoursOn "CALENDAR_HOURS_ON" InvalidArgument
                "the hours of {date} must be ascending intervals that do not overlap, and only a working day has hours"
                "{date}的办公时间须为按升序排列且互不重叠的时段，且仅工作日可设置"
            NoCaseTypes "NO_CASE_TYPES" InvalidArgument
                "there is no case type" "诉求类型为空"
            CaseTypeTwice "CASE_TYPE_TWICE" InvalidArgument
                "the case type {case_type} is listed twice" "诉求类型{case_type}重复"
            CaseTypeNoClasses "CASE_TYPE_NO_CLASSES" InvalidArgument
                "the case type {case_type} has no class" "诉求类型{case_type}未设分类"
            CaseClassTwice "CASE_CLASS_TWICE" InvalidArgument
                "the case type {case_type} lists the class {class} twice" "诉求类型{case_type}的分类{class}重复"
            CaseClassResolveZero "CASE_CLASS_RESOLVE_ZERO" InvalidArgument
                "the class {class} of the case type {case_type} must leave at least 1 working day"
                "诉求类型{case_type}的分类{class}办结时限至少为1个工作日"
            CaseAllowanceZero "CASE_ALLOWANCE_ZERO" InvalidArgument
                "the case type {case_type} must allow at least 1 working day for {step}"
                "诉求类型{case_type}的{step}时限至少为1个工作日"
            CaseWarnings "CASE_WARNINGS" InvalidArgument
                "the warnings of the case type {case_type} must be over 0, blue first, and at most 100 percent"
                "诉求类型{case_type}的预警比例须大于0且不超过100%，蓝色预警不得晚于黄色预警"
            CaseLadder "CASE_LADDER" InvalidArgument
                "the ladder of the case type {case_type} must ascend by days and have each rung once"
                "诉求类型{case_type}的督办措施须按天数升序排列，每项仅列一次"
            CaseLevelTwice "CASE_LEVEL_TWICE" InvalidArgument
                "the case type {case_type} says twice who is competent for the same level"
                "诉求类型{case_type}对同一层级重复规定了管辖单位"
            RoutingTwice "ROUTING_TWICE" InvalidArgument
                "the routing table lists {id} twice" "分办规则中{id}重复"
            RoutingUnitUnlisted "ROUTING_UNIT_UNLISTED" InvalidArgument
                "{place} names the unit {unit}, which the table does not list"
                "{place}引用的单位{unit}未列入单位表"
            RoutingOwnSuccessor "ROUTING_OWN_SUCCESSOR" InvalidArgument
                "the unit {unit} is its own successor" "单位{unit}的承继单位不得为其自身"
            RoutingCityDeskAbolished "ROUTING_CITY_DESK_ABOLISHED" InvalidArgument
                "the city desk {unit} is abolished" "市诉求专席{unit}已撤销，不能承担托底职责"
            RuleTwice "RULE_TWICE" InvalidArgument
                "the frequency policy lists the rule {rule} twice" "检查频次规则{rule}重复"
            RuleValidityReversed "RULE_VALIDITY_REVERSED" InvalidArgument
                "the rule {rule} ends before it begins" "规则{rule}的截止日期早于生效日期"
            NoRules "NO_RULES" InvalidArgument
                "the frequency policy has no rule" "检查频次规则为空"
            RuleSpan "RULE_SPAN" InvalidArgument
                "the span of the rule {rule} must be 1 to 3660 days, of a floor 1 to 10 years"
                "规则{rule}的期间须为1至3660日，下限规则须为1至10年"
            RuleDaysOfMonth "RULE_DAYS_OF_MONTH" InvalidArgument
                "the days of the month of the rule {rule} must be 1 to 31, the first not after the last"
                "规则{rule}的每月日期须在1日至31日之间，且起始日不晚于截止日"
            RuleMinimumZero "RULE_MINIMUM_ZERO" InvalidArgument
                "the minimum of the rule {rule} must be at least 1" "规则{rule}的下限至少为1次"
            RuleCountsNothing "RULE_COUNTS_NOTHING" InvalidArgument
                "the rule {rule} counts nothing: every ground that it is about is exempt"
                "规则{rule}适用的检查事由均不计入频次，该规则没有效力"
            RulesContradict "RULES_CONTRADICT" InvalidArgument
                "the rules {rule} and {other} say different things about the same visits"
                "规则{rule}与规则{other}对同一类检查的规定相互矛盾"
            RuleFloorAboveCap "RULE_FLOOR_ABOVE_CAP" InvalidArgument
                "the rule {rule} asks for more visits than the rule {cap} allows"
                "规则{rule}要求的检查次数超过规则{cap}允许的上限"
            FrequencyExcess "FREQUENCY_EXCESS" InvalidArgument
                "an excess needs a multiple of at least 1, and at least 2 visits within 1 to 366 days"
                "明显超频的标准须为上限的1倍以上，且为1至366日内2次以上"
            VisitTerms "VISIT_TERMS" InvalidArgument
                "a visit's terms allow at most 60 working days, 366 calendar days and 1 to 100000 metres, and warn at 1 to 100 percent, blue not after yellow"
                "检查要求的期限须不超过60个工作日、366日，距离为1至100000米，预警比例为1%至100%且蓝色不晚于黄色"
            OfficerTwice "OFFICER_TWICE" InvalidArgument
                "the certificate {certificate} is listed twice" "执法证{certificate}重复"
            CertificateValidityReversed "CERTIFICATE_VALIDITY_REVERSED" InvalidArgument
                "the certificate {certificate} ends before it begins" "执法证{certificate}的截止日期早于生效日期"
            ItemTwice "ITEM_TWICE" InvalidArgument
                "the item {item} is listed twice" "检查事项{item}重复"
            ItemNoMode "ITEM_NO_MODE" InvalidArgument
                "the item {item} can be inspected in no way" "检查事项{item}未规定检查方式"
            ItemNoTrigger "ITEM_NO_TRIGGER" InvalidArgument
                "the item {item} is trigger-only, and the catalogue names no ground as a trigger"
                "检查事项{item}为触发式检查，但清单未规定触发情形"
            SelfEntrusted "SELF_ENTRUSTED" InvalidArgument
                "a unit cannot be entrusted by itself" "受委托单位不得由其自身委托"
        }
    };
}

pub(super) use and_of_documents;
