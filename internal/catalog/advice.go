package catalog

// Each advice says what a person should do about a call that relight only
// reports or can undo only in part.
//
// Sources: AWS CloudTrail User Guide, "Getting and viewing your CloudTrail log
// files", for the 30 days; Amazon VPC User Guide, "Publish flow logs to Amazon
// S3", which does not mention retries; AWS KMS API Reference, ScheduleKeyDeletion,
// for the 7 to 30 days; AWS KMS Developer Guide, "Deleting keys", for a key
// whose deletion was cancelled.
const (
	adviceBucketPolicy = "This bucket receives your logs. Read its new policy. It must allow cloudtrail.amazonaws.com or " +
		"delivery.logs.amazonaws.com to write. Everyone else it allows may be able to read or delete your logs. " +
		"If the change is wrong, restore the previous policy: aws s3api put-bucket-policy."
	adviceNoBucketPolicy = "This bucket receives your logs. Without a policy AWS delivers nothing to it. Restore the policy: aws s3api put-bucket-policy. " +
		"CloudTrail retries for 30 days. Flow log records that could not be delivered are lost."
	adviceLifecycle = "This bucket receives your logs. Its new rules may delete them. Read the rules: aws s3api get-bucket-lifecycle-configuration. " +
		"If they are wrong, restore the previous rules within a day, before S3 applies the new ones. Expired logs are lost unless the bucket keeps versions."
	adviceNoBucket = "This bucket received your logs. Create it again now, in this account and region and with its policy. Until then anyone can take its name " +
		"and receive your logs. CloudTrail retries for 30 days. Flow log records that could not be delivered are lost."
	adviceVersioning = "This bucket receives your logs. Without versioning, whoever overwrites or deletes a log file destroys it, and with MFA delete off no second factor protects it. " +
		"Read the state: aws s3api get-bucket-versioning. If the change is wrong, set it back: aws s3api put-bucket-versioning."
	adviceBucketKey = "This bucket receives your logs. Whoever controls its new key can make new log files unreadable, and a key that does not admit the delivering service stops delivery. " +
		"Read it: aws s3api get-bucket-encryption. If the change is wrong, set it back: aws s3api put-bucket-encryption. Files that were written meanwhile keep the key that they were written with."
	adviceBucketAccess = "This bucket receives your logs. Other accounts, or everybody, may now be able to read, add or delete log files, or AWS may no longer be able to deliver. " +
		"Read what is in force: aws s3api get-bucket-acl, get-bucket-ownership-controls and get-public-access-block. If the change is wrong, set it back."
	adviceReplication = "This bucket receives your logs. Its new rules may copy them to somebody else's bucket, or the copy that you keep may no longer be made. " +
		"Read the rules: aws s3api get-bucket-replication. If the change is wrong, set them back: aws s3api put-bucket-replication. Replicate what was missed: S3 Batch Replication."
	adviceObjectLock = "This bucket receives your logs. Its new default retention decides for how long nobody can delete log files. " +
		"Read it: aws s3api get-object-lock-configuration. If the change is wrong, set it back: aws s3api put-object-lock-configuration. Files that were written meanwhile need their retention set one by one."
	adviceBucketFeeds = "This bucket receives your logs. Whoever learns of new log files by its notifications may no longer do so, and its access log, which says who read and deleted log files, may be off. " +
		"Read both: aws s3api get-bucket-notification-configuration and get-bucket-logging. If the change is wrong, set it back: aws s3api put-bucket-notification-configuration or put-bucket-logging."
	adviceNewTrail = "A region takes five trails, and shadows of other regions' trails count. If all are in use, relight cannot create the protected trail again once somebody deletes it. " +
		"Find out what this trail is for. If nobody wanted it, delete it: aws cloudtrail delete-trail."
	adviceDisabledKey = "This key encrypts your logs or relight's topic. While it is disabled, AWS writes no new logs and sends no notifications, and nobody can read the old logs. " +
		"Enable the key: aws kms enable-key."
	adviceDyingKey = "This key encrypts your logs or relight's topic. AWS deletes it in 7 to 30 days, and after that nobody can ever read those logs. " +
		"Cancel the deletion: aws kms cancel-key-deletion. The key then stays disabled, so enable it: aws kms enable-key."
	adviceKeyPolicy = "This key encrypts your logs or relight's topic. Read its new policy. It must allow the services that use the key, such as " +
		"logs.amazonaws.com, cloudtrail.amazonaws.com and, for the topic, cloudwatch.amazonaws.com. It must also allow the people who read the logs. " +
		"If the change is wrong, restore the previous policy: aws kms put-key-policy."
	adviceKeyMaterial = "This key encrypts your logs or relight's topic. Without its material, AWS writes no new logs and sends no notifications, and nobody can read the old logs. " +
		"Import the same material again: aws kms get-parameters-for-import and import-key-material. Nobody but you has it."
	adviceTrailRole = "The trail delivers its events to the log group with this role. While that fails, no metric filter counts what happens, and no alarm goes off. " +
		"relight does not change the role. Read it: aws iam get-role, list-role-policies, list-attached-role-policies. It must trust cloudtrail.amazonaws.com, " +
		"and be allowed logs:CreateLogStream and logs:PutLogEvents. If the change is wrong, undo it: aws iam delete-role-policy, detach-role-policy or put-role-policy."
	adviceRegion = "Sweeps cover this region once it is enabled. If nobody wanted it, disable it: aws account disable-region. " +
		"If you want relight to react to its events too, add it to regions in the configuration and deploy."
	adviceRegionOff = "What runs in this region goes on and costs money, but nobody can reach it, and sweeps leave the region out. Somebody may have stopped its logs before. " +
		"If nobody wanted it, enable the region again: aws account enable-region. The next sweep then checks it."
	adviceUnprotected = "relight restores deletion protection only on log groups that it created. " +
		"Ask the caller why: the next step may be to delete the group. Restore it: aws logs put-log-group-deletion-protection --deletion-protection-enabled."
	adviceEncrypted = "From now on this key encrypts the records of this log group: whoever disables or deletes it, or shuts CloudWatch Logs out of it, makes them unreadable and stops new ones. " +
		"relight restores the key of kmsKeys, or none, on a group that it created. On any other, if nobody wanted it, associate the key that was intended (aws logs associate-kms-key) or none (aws logs disassociate-kms-key). " +
		"Keep the other key enabled: it decrypts what was written meanwhile."
	adviceDecrypted = "The key no longer encrypts new records of this log group. relight restores a key only on a group that it created, " +
		"and only if kmsKeys in the configuration names the key. Restore it: aws logs associate-kms-key."
	adviceStreamGone = "The records in that stream are lost. The trail's bucket still has CloudTrail's own records: " +
		"read there what happened in the time that the stream covered."
	adviceNoStream = "This stream received your flow logs. Records that AWS could not deliver are lost. Create it again, or have its stack do so. " +
		"relight replaces its own flow logs only if their delivery works: delete those to the old stream once the new one exists."
	adviceStream = "This stream receives your flow logs, and may deliver them to somebody else now, or not at all. Read where it delivers: " +
		"aws firehose describe-delivery-stream. If the change is wrong, set it back: aws firehose update-destination."
	adviceStreamTag = "This stream receives your flow logs. Without its tag LogDeliveryEnabled = true, AWS's service-linked role may not write to it. " +
		"Put it back if it is gone: aws firehose tag-delivery-stream --delivery-stream-name NAME --tags Key=LogDeliveryEnabled,Value=true."
	adviceUnchosen = "The configuration chooses what has this tag for a flow log of its own. Without the tag relight does not restore that flow log. " +
		"Put the tag back: aws ec2 create-tags. A resource that the configuration names by its ID needs no tag."
	adviceFeedGone = "The receiver of this subscription no longer gets the records. Find its owner: " +
		"the owner, or the stack that created the subscription, must restore it."
	adviceFeedPut = "Whoever receives this subscription gets what its pattern selects, and another pattern, destination or role starves the receiver that it had. " +
		"Compare it with what was intended: aws logs describe-subscription-filters. The owner, or the stack that created the subscription, must restore it."
	adviceLogDestination = "Other accounts, or log groups of this one, may send their records to this destination, and now records may go nowhere or to somebody else. " +
		"Read it: aws logs describe-destinations. If the change is wrong, set it back: aws logs put-destination and put-destination-policy."
	adviceAccountPolicyGone = "Without this account policy, records of log groups in the region may no longer be copied to whoever received them, kept as long, or masked. " +
		"Find out what it was for: the records of PutAccountPolicy in CloudTrail have its text. If somebody needs it, restore it: aws logs put-account-policy."
	adviceMasked = "From now on the policy masks the data it matches, for readers, metric filters and subscriptions alike. " +
		"If nobody wanted it, delete it: aws logs delete-data-protection-policy."
	adviceTransformed = "Queries, subscriptions and filters on transformed records now see the transformer's output. " +
		"relight's filters read the original records. If nobody wanted the transformer, delete it: aws logs delete-transformer."
	adviceAccountWide = "An account policy can mask, transform, copy or expire the records of every log group in the region. " +
		"Read it: aws logs describe-account-policies. If nobody wanted it, delete it: aws logs delete-account-policy."
	adviceResourcePolicy = "A resource policy of CloudWatch Logs applies to whoever writes to log groups of this region: if it denies logs:PutLogEvents, the trail and flow logs deliver nothing. " +
		"Read it: aws logs describe-resource-policies. If nobody wanted it, delete it: aws logs delete-resource-policy."
	adviceStateSet = "An alarm notifies only when its state changes. An alarm that was set to ALARM by hand sends nothing until it has been OK again. " +
		"An alarm that was set to OK by hand hides what triggered it. Read its history: aws cloudwatch describe-alarm-history."
	adviceDestination = "relight adds what the policy requires of the trail, but changes no destination back: from now on, records may go to somebody else, or to nobody. " +
		"Read where the trail delivers: aws cloudtrail describe-trails. If you did not want this, change it back now: aws cloudtrail update-trail."
	adviceMemory = "Only relight's sweep writes this parameter. relight relies on what the sweep wrote, and the next sweep writes it again, but a deleted parameter is forgotten. " +
		"Find out what else the caller did: the next step may be to change the trail."
	adviceFunction = "This function is relight's own. With other code or settings it may restore nothing, or use the rights of its role for something else. relight does not restore it, and CloudFormation " +
		"undoes no change that it did not make. Compare the function with the stack: aws lambda get-function, aws cloudformation get-template. " +
		"If nobody wanted the change, set it back: aws lambda update-function-code or update-function-configuration."
	adviceFunctionGone = "This function was relight's own. Without it, relight does not react to events of its kind, or does not sweep. relight does not restore it, and CloudFormation does not create it again " +
		"while its template is the same. Destroy the stack, wait a minute, and deploy relight again. If only a version was deleted, nothing is missing."
	adviceFunctionOpen = "This function is relight's own. Whoever the new statement admits can invoke it, and have relight-backfill accept a changed trail. " +
		"Read the function's policy: aws lambda get-policy. If nobody wanted the statement, remove it: aws lambda remove-permission."
	adviceInvocations = "This function is relight's own. The settings decide how often a failed sweep is tried again, for how long, and where a person finds it afterwards. " +
		"Read them: aws lambda get-function-event-invoke-config. If nobody wanted the change, set them back to what the stack has: aws cloudformation get-template."
	adviceOwnLogs = "This log group is of one of relight's own functions: it says what relight did and why. A shorter retention destroys that, so relight raises it to 90 days again. " +
		"If nobody wanted the change, find out what else the caller did."
	adviceOwnBoundary = "This policy is the permissions boundary of relight's own roles. Without its rights relight cannot restore, and with more of them the boundary no longer bounds. relight does not change it. " +
		"Compare its versions: aws iam list-policy-versions, get-policy-version. If nobody wanted the change, set the earlier one back: aws iam set-default-policy-version."
	adviceOwnRole = "This role is relight's own. Without its rights relight cannot restore, and with more of them whoever takes over the function gets them. relight does not change it. " +
		"Compare it with the stack: aws iam get-role, list-role-policies, list-attached-role-policies, aws cloudformation get-template. " +
		"If nobody wanted the change, undo it: aws iam delete-role-policy, detach-role-policy, put-role-policy or delete-role-permissions-boundary."
	adviceStackChange = "This stack is relight's own. While CloudFormation changes it, relight restores no part of it, for an hour at most, and does not report what CloudFormation does to it. " +
		"If nobody deploys, stop it: aws cloudformation cancel-update-stack. Then compare the stack with what you deployed, and deploy relight again."
	adviceStackPolicy = "This stack is relight's own. A stack policy decides which of its resources an update may change: it can keep you from deploying relight again. " +
		"Read it: aws cloudformation get-stack-policy. If nobody wanted it, allow everything again: aws cloudformation set-stack-policy."
	adviceStackOpen = "This stack is relight's own. Without termination protection one call deletes it. If nobody wanted that, switch it on again: " +
		"aws cloudformation update-termination-protection --enable-termination-protection."
	adviceBusGone = "This bus was relight's own. Without it no events of other regions arrive, and only sweeps restore there. CloudFormation does not create it again while its template is the same. " +
		"Destroy the stacks, wait a minute, and deploy relight again."
	adviceBus = "This bus is relight's own. Its policy decides who may send events to it. Read it: aws events describe-event-bus. " +
		"Only this account may send. If the change is wrong, undo it: aws events remove-permission, or put-permission with the policy that the stack has."
	adviceBusKey = "relight's events pass through this bus. A key that EventBridge may not use, or a setting that somebody else controls, keeps them from relight: then only sweeps restore. " +
		"relight does not change the bus. Read it: aws events describe-event-bus. If nobody wanted the change, set it back: aws events update-event-bus."
	adviceQueueMoved = "This queue is relight's own. Its messages go to another queue, and none of them is left for whoever reads this one. " +
		"Stop it: aws sqs list-message-move-tasks, cancel-message-move-task. Find out what the caller did before: an attack whose event is lost is noticed later."
	adviceQueueEmptied = "This queue is relight's own. The messages that were in it are lost. If it feeds a function, only the next sweep restores what they were about. " +
		"If it keeps what could not be handled, only the logs still say what that was. Find out what the caller did before: an attack whose event is lost is noticed later."
	adviceQueueGone = "This queue was relight's own: it passed events on, or kept those that could not be handled. Until it exists again, events are lost, and only sweeps restore what they were about. " +
		"CloudFormation does not create it again while its template is the same. Destroy the stack, wait a minute, and deploy relight again."
	adviceMachine = "This state machine is relight's own: it sweeps the accounts of the organisation. With another definition or role, accounts may not be swept at all, and relight restores there only what events announce. relight does not change it. " +
		"Compare it with the stack: aws stepfunctions describe-state-machine, aws cloudformation get-template. If nobody wanted the change, set it back: aws stepfunctions update-state-machine."
	adviceMachineGone = "This state machine was relight's own: it swept the accounts of the organisation. Without it, relight restores only what events announce. CloudFormation does not create it again while its template is the same. " +
		"Destroy the stack, wait a minute, and deploy relight again."
	adviceMachineStopped = "A sweep of the organisation was stopped, so some accounts may not have been swept. The next sweep comes by itself. Ask whoever stopped it why; if nobody should have, start one: relight backfill."
	adviceTopicData      = "A data protection policy of relight's topic can refuse, mask or drop messages by what is in them, also alarms and what relight sends. relight does not read or change it. " +
		"Read it: aws sns get-data-protection-policy. If nobody wanted it, set an empty one: aws sns put-data-protection-policy."
	adviceUnsubscribed = "relight restores only the subscribers that the configuration names. Ask who else is missing." // relight does not know them
)

// AdvicePause is the advice for a call on the parameter that pauses relight, unless the call is a write of
// somebody who may pause.
const AdvicePause = "This parameter pauses relight. What somebody writes there whom pause.by in the configuration does not name pauses nothing, and ends a pause. " +
	"Whoever deletes it removes how long relight was paused as well: relight resume ends a pause without that. Find out what else the caller did."
