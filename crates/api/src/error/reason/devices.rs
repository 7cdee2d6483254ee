//! The reasons that devices and their records give, told from the others only because one file is too short for
//! all.

/// Hands the reasons given and those of devices to a macro, in this order.
macro_rules! and_of_devices {
    ($make:ident; $($others:tt)*) => {
        $make! {
            $($others)*

            // Devices and their records.
            DeviceUnknown "DEVICE_UNKNOWN" NotFound
                "there is no such device within the caller's reach" "未找到该执法终端，或其不在您的查询范围内"
            DeviceEnrolledDifferently "DEVICE_ENROLLED_DIFFERENTLY" AlreadyExists
                "the device is already enrolled with another content" "该执法终端已以其他内容登记"
            DeviceKeyUnusable "DEVICE_KEY_UNUSABLE" InvalidArgument
                "the public key must be a sound Ed25519 key of 32 bytes" "公钥须为32字节的有效Ed25519公钥"
            DeviceOtherUnit "DEVICE_OTHER_UNIT" PermissionDenied
                "only the unit {unit} that the device is enrolled for does this" "仅该执法终端的登记单位{unit}可以办理"
            DeviceRevokedDifferently "DEVICE_REVOKED_DIFFERENTLY" FailedPrecondition
                "the device is revoked already, for another reason or from an earlier instant"
                "该执法终端已停用，其停用原因不同，或停用时间早于本次所填"
            DeviceRevoked "DEVICE_REVOKED" FailedPrecondition
                "the device is revoked; its records wait until they are released"
                "该执法终端已停用，其记录须经放行后方可采信"
            DeviceHoldsTooMuch "DEVICE_HOLDS_TOO_MUCH" ResourceExhausted
                "{found} records of the device would be waiting, at most {max} may; release some, or upload these later"
                "该执法终端待处理的记录将达{found}条，上限为{max}条，请先放行部分记录，或稍后再上传"
            DeviceUploadUnknown "DEVICE_UPLOAD_UNKNOWN" NotFound
                "there was no upload {upload}" "不存在第{upload}批上传"
            RecordTooLarge "RECORD_TOO_LARGE" InvalidArgument
                "a record has at most {bytes_max} bytes" "单条记录不得超过{bytes_max}字节"
            RecordMalformed "RECORD_MALFORMED" InvalidArgument
                "the bytes are no record, or a damaged one" "所传内容不是离线记录，或已损坏"
            RecordVersionUnknown "RECORD_VERSION_UNKNOWN" InvalidArgument
                "the record is of a version that is not known here" "离线记录的版本无法识别"
            RecordAlgorithmUnknown "RECORD_ALGORITHM_UNKNOWN" InvalidArgument
                "the record is signed with an algorithm that is not known here" "离线记录的签名算法无法识别"
            RecordForged "RECORD_FORGED" InvalidArgument
                "the signature of the record is not that of its device" "离线记录签名验证失败，可能系伪造"
            RecordCloned "RECORD_CLONED" AlreadyExists
                "another record has the same counter: the device has a double, or was set back"
                "已有相同序号的另一条记录，该终端可能被复制或回退"
            RecordUnreadable "RECORD_UNREADABLE" InvalidArgument
                "the record is kept, but it says nothing that a visit could be told" "记录已留存，但其内容无法对应任何检查"
            RecordUnknown "RECORD_UNKNOWN" NotFound
                "the device has no record {counter}" "该执法终端没有序号为{counter}的记录"
            RecordCounterOutOfBounds "RECORD_COUNTER_OUT_OF_BOUNDS" InvalidArgument
                "a record has the counter {found}, it must be 1 to {max}" "记录序号为{found}，应为1至{max}"
            UploadTooLarge "UPLOAD_TOO_LARGE" InvalidArgument
                "the records have {found} bytes together, at most {bytes_max} at once"
                "所传记录共{found}字节，每次不得超过{bytes_max}字节"
        }
    };
}

pub(super) use and_of_devices;
