package tap

import (
	"slices"
	"strings"
)

// readPrefixes are prefixes of the names of operations that change nothing.
var readPrefixes = []string{
	"BatchCheck", "BatchGet", "Check", "Decode", "Describe", "Estimate", "Filter", "Get", "List",
	"Lookup", "Preview", "Query", "Scan", "Search", "Select", "Simulate", "Test", "Validate",
}

// readOperations lists operations that change nothing although their names
// suggest otherwise. The CloudTrail documentation of each service calls them
// readOnly. So the records of an AssumeRole across accounts, one in each of the two accounts
// on AWS, reach no rule in either unless it asks for read-only events, and the tap raises none.
//
// Source: "Logging IAM and AWS STS API calls with AWS CloudTrail",
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
var readOperations = map[string][]string{
	"kms":  {"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "GenerateRandom", "ReEncrypt", "Sign", "Verify", "VerifyMac"},
	"logs": {"StartLiveTail", "StartQuery", "StopQuery"},
	"sts":  {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot"},
}

// dataOperations lists operations that are data events or are not recorded at
// all, and so are never on EventBridge as management events.
//
// Source: "Logging data events",
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
var dataOperations = map[string][]string{
	"dynamodb":   {"BatchExecuteStatement", "BatchWriteItem", "DeleteItem", "ExecuteStatement", "ExecuteTransaction", "PutItem", "TransactGetItems", "TransactWriteItems", "UpdateItem"},
	"events":     {"PutEvents", "PutPartnerEvents"},
	"firehose":   {"PutRecord", "PutRecordBatch"},
	"kinesis":    {"PutRecord", "PutRecords", "SubscribeToShard"},
	"logs":       {"PutLogEvents"},
	"monitoring": {"PutMetricData"},
	"sns":        {"Publish", "PublishBatch"},
	"sqs":        {"ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch", "ReceiveMessage", "SendMessage", "SendMessageBatch"},
	"states":     {"SendTaskFailure", "SendTaskHeartbeat", "SendTaskSuccess"},
}

func isRead(service, operation string) bool {
	for _, p := range readPrefixes {
		if strings.HasPrefix(operation, p) {
			return true
		}
	}
	return slices.Contains(readOperations[service], operation)
}

func isData(service, operation string) bool {
	return slices.Contains(dataOperations[service], operation)
}

// global lists the services whose events occur in one region wherever the call
// was made. Source: "EventBridge rule for IAM in one Region only",
// https://repost.aws/knowledge-center/eventbridge-rule-triggers-iam-single-region
// and, for Account Management,
// https://repost.aws/knowledge-center/use-eventbridge-rule-across-regions
var global = map[string]string{"account": "us-east-1", "iam": "us-east-1", "organizations": "us-east-1"}

// eventRegion returns the region in which the record says the call happened.
func (q *request) eventRegion() string {
	if r, ok := global[q.service]; ok {
		return r
	}
	return q.region
}

// maskedWhenDenied lists services whose records of denied calls have no
// requestParameters. EC2's records keep them. Source: recorded events,
// TrailDiscover, https://github.com/adanalvarez/TrailDiscover
var maskedWhenDenied = map[string]bool{
	"cloudtrail": true, "events": true, "iam": true, "logs": true, "monitoring": true,
}
