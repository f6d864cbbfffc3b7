package catalog

// What a person should do about a call that relight only watches, or can undo
// in part.
//
// Sources: AWS CloudTrail User Guide, "Getting and viewing your CloudTrail log
// files", for the 30 days; Amazon VPC User Guide, "Publish flow logs to Amazon
// S3", which names no such time; AWS KMS API Reference, ScheduleKeyDeletion,
// for the 7 to 30 days; AWS KMS Developer Guide, "Deleting keys", for a key
// whose deletion was cancelled.
const (
	adviceBucketPolicy = "Logs go to this bucket. Read its new policy: it has to admit cloudtrail.amazonaws.com or " +
		"delivery.logs.amazonaws.com, and whoever else it lets in may read or delete what is there. " +
		"If it should not be so, put the old one back: aws s3api put-bucket-policy."
	adviceNoBucketPolicy = "Logs go to this bucket, and without a policy nothing is delivered. Put it back: aws s3api put-bucket-policy. " +
		"CloudTrail keeps trying for 30 days; what flow logs could not deliver is lost."
	adviceLifecycle = "Logs go to this bucket, and its new rules may let them expire. Read them, aws s3api get-bucket-lifecycle-configuration, " +
		"and put the old ones back before the first run of S3, within a day: what has expired is gone unless the bucket keeps versions."
	adviceNoBucket = "Logs go to this bucket. Create it again at once, in this account and region and with its policy: until then anybody may take the name " +
		"and receive the logs. CloudTrail keeps trying for 30 days; what flow logs could not deliver is lost."
	adviceDisabledKey = "Logs, or relight's topic, are encrypted with this key: nothing new is written or told, and old logs cannot be read. Enable it again: aws kms enable-key."
	adviceDyingKey    = "Logs, or relight's topic, are encrypted with this key, and once it is deleted, in 7 to 30 days, nobody can read those logs ever again. " +
		"Cancel that, aws kms cancel-key-deletion, and then enable it, aws kms enable-key: a key whose deletion was cancelled stays disabled."
	adviceKeyPolicy = "Logs, or relight's topic, are encrypted with this key. Read its new policy: it has to admit the services that use it, such as " +
		"logs.amazonaws.com, cloudtrail.amazonaws.com, and cloudwatch.amazonaws.com for the topic, and the people who read the logs. If it should not be so, put the old one back: aws kms put-key-policy."
	adviceRegion = "Every sweep covers this region once it is enabled. If nobody wanted it, disable it: aws account disable-region. " +
		"To have its events at once as well, list it in regions and deploy."
	adviceUnprotected = "Relight switches deletion protection on again for log groups it made and for no others. " +
		"Ask who did it: deleting the group is the next step. Back: aws logs put-log-group-deletion-protection --deletion-protection-enabled."
	adviceDecrypted = "The group's new records are no longer encrypted with its key. relight puts a key back only on a group it made, " +
		"and only one that kmsKeys in the configuration names. Back: aws logs associate-kms-key."
	adviceStreamGone = "The records in that stream are gone; nothing brings them back. CloudTrail's own are still in the trail's bucket: " +
		"look there for what was done in the time the stream covered."
	adviceFeedGone = "Whoever read these records by the subscription no longer gets them. Find out whose it was: " +
		"its owner, or the stack that made it, has to put it back."
	adviceMasked = "What the policy matches is masked for readers, metric filters and subscriptions alike, from now on. " +
		"Take it off, unless it is meant: aws logs delete-data-protection-policy."
	adviceTransformed = "Queries, subscriptions and filters on transformed records now see what the transformer makes of them; " +
		"relight's filters read the originals. Take it off, unless it is meant: aws logs delete-transformer."
	adviceAccountWide = "Such a policy can mask, transform, copy or expire the records of every log group of the region. " +
		"Read it with aws logs describe-account-policies, and take it off with delete-account-policy unless it is meant."
	adviceStateSet = "An alarm notifies when it changes state: one set to ALARM by hand stays silent until it has been OK again, " +
		"and one set to OK hides what it rang for. Look at its history: aws cloudwatch describe-alarm-history."
	// Somebody may be gone whom relight does not know.
	adviceUnsubscribed = "Only subscribers that the configuration names are subscribed again: ask who is missing."
)
