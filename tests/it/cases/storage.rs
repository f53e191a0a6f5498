//! File systems and their backups.

use super::Case;
use crate::gaps::Gap;
use crate::support::emulator::Emulator;

const FILES: &str = r#"
[resource.efs_file_system.n]
encrypted = true
"#;

const VAULT: &str = r#"
[resource.backup_vault.n]
name = "NAME-n"
[resource.backup_vault.m]
name = "NAME-m"
"#;

const PLAN: &str = r#"
[resource.backup_plan.n]
name = "NAME-n"
rules = [{ rule_name = "daily", target_backup_vault_name = "${backup_vault.n.name}", lifecycle = { delete_after_days = 35 } }]
[resource.iam_role.n]
name = "NAME-n"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "backup.amazonaws.com" } }] }
[resource.iam_role.m]
name = "NAME-m"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "backup.amazonaws.com" } }] }
"#;

pub const NEEDS: &[(&str, &str)] = &[("files", FILES), ("vault", VAULT), ("plan", PLAN)];

pub const CASES: &[Case] = &[
    Case {
        type_name: "efs_file_system",
        needs: "",
        least: "",
        optional: &[
            "performance_mode = \"maxIO\"",
            "throughput_mode = \"elastic\"",
            "throughput_mode = \"provisioned\"\nprovisioned_throughput_in_mibps = 16",
            "encrypted = true",
            "encrypted = true\nkms_key_id = \"KEY\"",
            "availability_zone_name = \"us-east-1a\"",
            "lifecycle_policies = { transition_to_ia = \"AFTER_30_DAYS\", transition_to_primary_storage_class = \"AFTER_1_ACCESS\" }",
            "throughput_mode = \"elastic\"\nlifecycle_policies = { transition_to_ia = \"AFTER_1_DAY\", transition_to_archive = \"AFTER_90_DAYS\" }",
            "backup_policy = \"ENABLED\"",
            "file_system_policy = { Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Principal = { AWS = \"*\" }, Action = [\"elasticfilesystem:ClientRootAccess\", \"elasticfilesystem:ClientWrite\"], Condition = { Bool = { \"elasticfilesystem:AccessedViaMountTarget\" = \"true\" } } }] }",
            "replication_overwrite_protection = \"DISABLED\"",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    // As the agent stack has it.
    Case {
        type_name: "efs_file_system",
        needs: "",
        least: "encrypted = true\nperformance_mode = \"generalPurpose\"\nthroughput_mode = \"bursting\"\ntags = { Name = \"claude-code-dev\", Environment = \"dev\" }\nfile_system_policy = { Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Principal = { AWS = \"*\" }, Action = [\"elasticfilesystem:ClientRootAccess\", \"elasticfilesystem:ClientWrite\"], Condition = { Bool = { \"elasticfilesystem:AccessedViaMountTarget\" = \"true\" } } }] }",
        optional: &[],
        changed: &[("elasticfilesystem:ClientWrite", "elasticfilesystem:ClientMount"), ("Environment = \"dev\"", "Environment = \"prod\"")],
    },
    Case {
        type_name: "efs_mount_target",
        needs: "network+files",
        least: "file_system_id = \"${efs_file_system.n.id}\"\nsubnet_id = \"${subnet.a.id}\"\nsecurity_groups = [\"${security_group.n.id}\"]",
        optional: &["ip_address = \"10.9.0.77\""],
        changed: &[
            ("[\"${security_group.n.id}\"]", "[\"${security_group.n.id}\", \"${security_group.m.id}\"]"),
            ("[\"${security_group.n.id}\"]", "[\"${security_group.m.id}\"]"),
            ("${subnet.a.id}", "${subnet.b.id}"),
        ],
    },
    Case {
        type_name: "efs_mount_target",
        needs: "network+files",
        least: "file_system_id = \"${efs_file_system.n.id}\"\nsubnet_id = \"${subnet.a.id}\"",
        optional: &["security_groups = [\"${security_group.n.id}\"]", "ip_address_type = \"DUAL_STACK\""],
        changed: &[],
    },
    Case {
        type_name: "efs_access_point",
        needs: "files",
        least: "file_system_id = \"${efs_file_system.n.id}\"\nposix_user = { uid = 1000, gid = 1001 }",
        optional: &[
            "root_directory = { path = \"/a/b\" }",
            "root_directory = { path = \"/data\", creation_info = { owner_uid = 1000, owner_gid = 4294967295, permissions = \"0755\" } }",
            "tags = { a = \"b\" }",
        ],
        changed: &[("uid = 1000", "uid = 0"), ("gid = 1001", "gid = 1001, secondary_gids = [1002, 1003]")],
    },
    // Without a user of its own, which is said by a tag only so that a gap can name the case.
    Case {
        type_name: "efs_access_point",
        needs: "files",
        least: "file_system_id = \"${efs_file_system.n.id}\"\ntags = { user = \"the-client\" }",
        optional: &["posix_user = { uid = 1000, gid = 1001 }"],
        changed: &[],
    },
    Case {
        type_name: "backup_vault",
        needs: "",
        least: "name = \"NAME-x\"",
        optional: &[
            "encryption_key_arn = \"KEY\"",
            "access_policy = { Version = \"2012-10-17\", Statement = [{ Effect = \"Deny\", Principal = { AWS = \"*\" }, Action = \"backup:DeleteRecoveryPoint\", Resource = \"*\" }] }",
            "notifications = { sns_topic_arn = \"arn:aws:sns:us-east-1:123456789012:t\", backup_vault_events = [\"BACKUP_JOB_COMPLETED\", \"RESTORE_JOB_COMPLETED\"] }",
            "lock_configuration = { min_retention_days = 7, max_retention_days = 365 }",
            "lock_configuration = { max_retention_days = 365 }",
            "lock_configuration = { min_retention_days = 1, changeable_for_days = 30 }",
            "force_delete = true",
            "tags = { a = \"b\" }",
        ],
        changed: &[],
    },
    Case {
        type_name: "backup_vault",
        needs: "",
        least: "name = \"NAME-x\"\nlock_configuration.min_retention_days = 7\nlock_configuration.max_retention_days = 365",
        optional: &[],
        changed: &[
            ("min_retention_days = 7", "min_retention_days = 8"),
            ("max_retention_days = 365", "max_retention_days = 400"),
            ("lock_configuration.max_retention_days = 365", ""),
        ],
    },
    Case {
        type_name: "backup_plan",
        needs: "vault",
        least: "name = \"NAME-x\"\nrules = [{ rule_name = \"daily\", target_backup_vault_name = \"${backup_vault.n.name}\" }]",
        optional: &[
            "advanced_backup_settings = [{ resource_type = \"EC2\", backup_options = { WindowsVSS = \"enabled\" } }]",
            "scan_settings = [{ resource_types = [\"EBS\", \"S3\"], scanner_role_arn = \"arn:aws:iam::123456789012:role/scanner\" }]",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("NAME-x", "NAME-y"),
            ("rule_name = \"daily\"", "rule_name = \"nightly\""),
            ("${backup_vault.n.name}", "${backup_vault.m.name}"),
            (" }]", ", lifecycle = { delete_after_days = 35 }, schedule_expression = \"cron(0 5 * * ? *)\" }]"),
            (
                " }]",
                ", lifecycle = { move_to_cold_storage_after_days = 30, delete_after_days = 120, opt_in_to_archive_for_supported_resources = true } }]",
            ),
            (" }]", ", recovery_point_tags = { a = \"b\" } }]"),
            (" }]", ", schedule_expression_timezone = \"Europe/Berlin\" }]"),
            (" }]", ", enable_continuous_backup = true }]"),
            (
                " }]",
                ", copy_actions = [{ destination_backup_vault_arn = \"${backup_vault.m.arn}\", lifecycle = { delete_after_days = 7 } }] }]",
            ),
            (" }]", ", index_actions = [{ resource_types = [\"S3\"] }] }]"),
            (" }]", ", scan_actions = [{ scan_mode = \"FULL_SCAN\" }] }]"),
            (" }]", ", target_logically_air_gapped_backup_vault_arn = \"arn:aws:backup:us-east-1:123456789012:backup-vault:gapped\" }]"),
            (" }]", " }, { rule_name = \"weekly\", target_backup_vault_name = \"${backup_vault.m.name}\" }]"),
        ],
    },
    Case {
        type_name: "backup_plan",
        needs: "vault",
        least: "name = \"NAME-x\"\nrules = [{ rule_name = \"daily\", target_backup_vault_name = \"${backup_vault.n.name}\", start_window_minutes = 60, completion_window_minutes = 180 }]",
        optional: &[],
        changed: &[
            ("start_window_minutes = 60", "start_window_minutes = 90"),
            ("completion_window_minutes = 180", "completion_window_minutes = 240"),
        ],
    },
    Case {
        type_name: "backup_selection",
        needs: "files+vault+plan",
        least: "backup_plan_id = \"${backup_plan.n.id}\"\nname = \"NAME-x\"\niam_role_arn = \"${iam_role.n.arn}\"\nresources = [\"${efs_file_system.n.arn}\"]",
        optional: &[
            "not_resources = [\"arn:aws:ec2:*:*:volume/*\"]",
            "list_of_tags = [{ condition_key = \"backup\", condition_value = \"daily\" }]",
            "conditions = { string_equals = [{ condition_key = \"aws:ResourceTag/a\", condition_value = \"b\" }], string_not_equals = [{ condition_key = \"aws:ResourceTag/c\", condition_value = \"d\" }] }",
            "conditions = { string_like = [{ condition_key = \"aws:ResourceTag/a\", condition_value = \"b*\" }], string_not_like = [{ condition_key = \"aws:ResourceTag/c\", condition_value = \"d*\" }] }",
        ],
        changed: &[
            ("name = \"NAME-x\"", "name = \"NAME-y\""),
            ("iam_role.n", "iam_role.m"),
            ("\"${efs_file_system.n.arn}\"", "\"${efs_file_system.n.arn}\", \"arn:aws:ec2:*:*:volume/*\""),
        ],
    },
];

pub const GAPS: &[Gap] = &[
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "backup_vault",
        attribute: "lock_configuration = {",
        evidence: "DeleteBackupVaultLockConfiguration refuses a lock put without ChangeableForDays, which the Backup API Reference lets go at any time",
    },
    Gap {
        emulator: Emulator::Fakecloud,
        type_name: "efs_mount_target",
        attribute: "ip_address_type",
        evidence: "CreateMountTarget ignores IpAddressType of the EFS API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "efs_mount_target",
        attribute: "ip_address_type",
        evidence: "CreateMountTarget ignores IpAddressType of the EFS API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "efs_mount_target",
        attribute: "ip_address_type",
        evidence: "CreateMountTarget ignores IpAddressType of the EFS API Reference; no emulator has it",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "efs_access_point",
        attribute: "the-client",
        evidence: "DescribeAccessPoints makes up a PosixUser of 0 and 0; the EFS API Reference has none for an access point made without",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "backup_vault",
        attribute: "access_policy",
        evidence: "PutBackupVaultAccessPolicy has no route; it is in the Backup API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "backup_vault",
        attribute: "notifications",
        evidence: "PutBackupVaultNotifications has no route; it is in the Backup API Reference",
    },
    Gap {
        emulator: Emulator::MiniStack,
        type_name: "backup_vault",
        attribute: "lock_configuration",
        evidence: "PutBackupVaultLockConfiguration has no route; it is in the Backup API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "backup_vault",
        attribute: "",
        evidence: "ListTags answers no tags at the path without a slash at its end, which AWS's own SDK calls",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "backup_plan",
        attribute: "",
        evidence: "UpdateBackupPlan answers HTML 404; it is in the Backup API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "backup_selection",
        attribute: "",
        evidence: "CreateBackupSelection answers HTML 404; it is in the Backup API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "efs_file_system",
        attribute: "throughput_mode = \"elastic",
        evidence: "UpdateFileSystem answers HTML 404; it is in the EFS API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "efs_file_system",
        attribute: "throughput_mode = \"provisioned",
        evidence: "UpdateFileSystem answers HTML 404; it is in the EFS API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "efs_file_system",
        attribute: "backup_policy",
        evidence: "PutBackupPolicy answers HTML 404; it is in the EFS API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "efs_file_system",
        attribute: "file_system_policy",
        evidence: "DeleteFileSystemPolicy answers HTML 404; it is in the EFS API Reference",
    },
    Gap {
        emulator: Emulator::Moto,
        type_name: "efs_file_system",
        attribute: "replication_overwrite_protection",
        evidence: "UpdateFileSystemProtection answers HTML 404; it is in the EFS API Reference",
    },
];
