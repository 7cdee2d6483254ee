//! The reasons that webhooks give, told from the others only because one file is too short for all.

/// Hands the reasons given and those of webhooks to a macro, in this order.
macro_rules! and_of_webhooks {
    ($make:ident; $($others:tt)*) => {
        $make! {
            $($others)*

            // Webhooks.
            WebhookUnknown "WEBHOOK_UNKNOWN" NotFound
                "there is no such webhook" "未找到该事件推送"
            WebhookRegisteredDifferently "WEBHOOK_REGISTERED_DIFFERENTLY" AlreadyExists
                "the webhook is already registered with another content" "该事件推送已以其他内容登记"
            WebhookRetired "WEBHOOK_RETIRED" FailedPrecondition
                "the webhook is retired" "该事件推送已注销"
            WebhooksTooMany "WEBHOOKS_TOO_MANY" ResourceExhausted
                "there are {max} webhooks, which is as many as there may be; retire one"
                "事件推送已达{max}个上限，请先注销不再使用的推送"
            WebhookUrlMalformed "WEBHOOK_URL_MALFORMED" InvalidArgument
                "the address must be https://host:port/path without login and fragment, at most 500 characters"
                "推送地址须以https开头，由主机、端口和路径组成，不得含登录信息或片段，且不超过500个字符"
            WebhookUrlPlain "WEBHOOK_URL_PLAIN" InvalidArgument
                "without encryption only addresses of loopback or a private network are posted to, and only where the configuration allows it"
                "未加密的推送仅限本机或内网地址，且须经系统配置允许"
            WebhookOtherGeneration "WEBHOOK_OTHER_GENERATION" FailedPrecondition
                "the secret is of generation {present}, only the next one can be asked for"
                "当前密钥为第{present}代，只能申请下一代"
            WebhookTooManySetAside "WEBHOOK_TOO_MANY_SET_ASIDE" ResourceExhausted
                "{max} enterprises are set aside already" "已有{max}家企业的事件被搁置"
            WebhookNotSetAside "WEBHOOK_NOT_SET_ASIDE" NotFound
                "nothing of the enterprise {enterprise} is set aside" "企业{enterprise}没有被搁置的事件"
            WebhookRedriveNotOrdered "WEBHOOK_REDRIVE_NOT_ORDERED" FailedPrecondition
                "what is set aside of the enterprise {enterprise} was not ordered to be sent again"
                "企业{enterprise}被搁置的事件尚未安排重新推送"
        }
    };
}

pub(super) use and_of_webhooks;
