package catalog

// What a person should do about calls on what protections lean on and relight
// only watches: buckets, keys and regions.
//
// Sources: AWS CloudTrail User Guide, "Getting and viewing your CloudTrail log
// files", for the 30 days; Amazon VPC User Guide, "Publish flow logs to Amazon
// S3", which names no such time; AWS KMS API Reference, ScheduleKeyDeletion,
// for the 7 to 30 days; AWS KMS Developer Guide, "Deleting keys", for a key
// whose deletion was cancelled.
const (
	adviceBucketPolicy = "logs go to this bucket. Read its new policy: it has to admit cloudtrail.amazonaws.com or " +
		"delivery.logs.amazonaws.com, and whoever else it lets in may read or delete what is there. " +
		"If it should not be so, put the old one back: aws s3api put-bucket-policy."
	adviceNoBucketPolicy = "logs go to this bucket, and without a policy nothing is delivered. Put it back: aws s3api put-bucket-policy. " +
		"CloudTrail keeps trying for 30 days; what flow logs could not deliver is lost."
	adviceLifecycle = "logs go to this bucket, and its new rules may let them expire. Read them, aws s3api get-bucket-lifecycle-configuration, " +
		"and put the old ones back before the first run of S3, within a day: what has expired is gone unless the bucket keeps versions."
	adviceNoBucket = "logs go to this bucket. Create it again at once, in this account and region and with its policy: until then anybody may take the name " +
		"and receive the logs. CloudTrail keeps trying for 30 days; what flow logs could not deliver is lost."
	adviceDisabledKey = "logs, or relight's topic, are encrypted with this key: nothing new is written or told, and old logs cannot be read. Enable it again: aws kms enable-key."
	adviceDyingKey    = "logs, or relight's topic, are encrypted with this key, and once it is deleted, in 7 to 30 days, nobody can read those logs ever again. " +
		"Cancel that, aws kms cancel-key-deletion, and then enable it, aws kms enable-key: a key whose deletion was cancelled stays disabled."
	adviceKeyPolicy = "logs, or relight's topic, are encrypted with this key. Read its new policy: it has to admit the services that use it, such as " +
		"logs.amazonaws.com, cloudtrail.amazonaws.com, and cloudwatch.amazonaws.com for the topic, and the people who read the logs. If it should not be so, put the old one back: aws kms put-key-policy."
	adviceRegion = "every sweep covers this region once it is enabled. If nobody wanted it, disable it: aws account disable-region. " +
		"To have its events at once as well, list it in regions and deploy."
)
