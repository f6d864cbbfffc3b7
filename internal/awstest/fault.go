package awstest

// Fail makes the next calls of an operation fail with these error codes, one
// each; "" lets a call through. So Fail("DescribeVpcs", "", "InternalError")
// fails the second page.
func (a *Account) Fail(op string, codes ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults[op] = append(a.faults[op], codes...)
}

// Deny makes every call of an operation fail for want of permission.
func (a *Account) Deny(op string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.denied[op] = true
}

// Allow takes back a Deny.
func (a *Account) Allow(op string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.denied, op)
}

// Refuse makes the next CreateFlowLogs for a resource fail with these error
// codes, one each, inside replies that are successful as a whole. Source:
// Amazon EC2 API Reference, CreateFlowLogs, "unsuccessful".
func (a *Account) Refuse(resource string, codes ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refusals[resource] = append(a.refusals[resource], codes...)
}

// RefuseWhole makes a VPC that does not exist fail a CreateFlowLogs as a
// whole, not only in its own item: which of them EC2 does is unverified.
func (a *Account) RefuseWhole() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.whole = true
}

// Lag makes the changes that follow show only after n more listings of what
// was changed; 0 makes them show at once. Source: Amazon EC2 API Reference,
// "Eventual consistency".
func (a *Account) Lag(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lag = n
}

// fault returns the error that a call of an operation was told to fail with.
func (a *Account) fault(op string) error {
	if a.denied[op] {
		return refuse(op, deniedCode(op), "User: arn:aws:sts::%s:assumed-role/test is not authorized to perform: %s", a.ID, op)
	}
	code := next(a.faults, op)
	switch code {
	case "":
		return nil
	case assumeCode:
		return refuse(op, "InvalidParameter", assumeText, "arn:aws:iam::"+a.ID+":role/test")
	}
	return refuse(op, code, "made to fail by the test")
}

// next takes the first code queued under a key, or "".
func next(queues map[string][]string, key string) string {
	queue := queues[key]
	if len(queue) == 0 {
		return ""
	}
	queues[key] = queue[1:]
	return queue[0]
}

// Services by operation. What is not listed is EC2's.
var services = map[string]string{
	"CreateLogGroup": theLogs, "DeleteLogGroup": theLogs, "DescribeLogGroups": theLogs, "PutRetentionPolicy": theLogs,
	"DeleteRetentionPolicy": theLogs, "PutMetricFilter": theLogs, "DeleteMetricFilter": theLogs, "DescribeMetricFilters": theLogs,
	"PutLogGroupDeletionProtection": theLogs, "AssociateKmsKey": theLogs, "DisassociateKmsKey": theLogs, "ListTagsForResource": theLogs,
	"PutTransformer": theLogs, "GetTransformer": theLogs, "DeleteTransformer": theLogs,
	"PutDataProtectionPolicy": theLogs, "DeleteDataProtectionPolicy": theLogs,
	"PutAccountPolicy": theLogs, "DescribeAccountPolicies": theLogs, "DeleteAccountPolicy": theLogs,

	"PutMetricAlarm": theCloudWatch, "DeleteAlarms": theCloudWatch, "DescribeAlarms": theCloudWatch,
	"DisableAlarmActions": theCloudWatch, "EnableAlarmActions": theCloudWatch, "SetAlarmState": theCloudWatch,
	"PutCompositeAlarm": theCloudWatch, "PutAlarmMuteRule": theCloudWatch, "GetAlarmMuteRule": theCloudWatch,
	"ListAlarmMuteRules": theCloudWatch, "DeleteAlarmMuteRule": theCloudWatch,

	"DescribeTrails": theTrails, "CreateTrail": theTrails, "UpdateTrail": theTrails, "DeleteTrail": theTrails, "StartLogging": theTrails,
	"StopLogging": theTrails, "GetTrailStatus": theTrails, "PutEventSelectors": theTrails, "GetEventSelectors": theTrails, "LookupEvents": theTrails,

	"GetParameter": theParameters, "PutParameter": theParameters, "DeleteParameter": theParameters,

	"CreateTopic": theSNS, "DeleteTopic": theSNS, "Subscribe": theSNS, "GetTopicAttributes": theSNS,
	"SetTopicAttributes": theSNS, "Publish": theSNS, "RemovePermission": theSNS, "AddPermission": theSNS,
	"ListSubscriptionsByTopic": theSNS, "GetSubscriptionAttributes": theSNS, "SetSubscriptionAttributes": theSNS, "Unsubscribe": theSNS,

	"DescribeKey": "KMS", "DisableKey": "KMS", "EnableKey": "KMS", "ScheduleKeyDeletion": "KMS", "CancelKeyDeletion": "KMS",
	"GetKeyPolicy": "KMS", "PutKeyPolicy": "KMS",

	"CreateRole": theIAM, "GetRole": theIAM, "DeleteRole": theIAM, "TagRole": theIAM, "UntagRole": theIAM,
	"UpdateAssumeRolePolicy": theIAM, "PutRolePermissionsBoundary": theIAM, "DeleteRolePermissionsBoundary": theIAM,
	"PutRolePolicy": theIAM, "GetRolePolicy": theIAM, "ListRolePolicies": theIAM, "DeleteRolePolicy": theIAM,
	"AttachRolePolicy": theIAM, "DetachRolePolicy": theIAM, "ListAttachedRolePolicies": theIAM,
	"CreatePolicy": theIAM, "DeletePolicy": theIAM, "GetPolicy": theIAM, "GetPolicyVersion": theIAM,
	"CreatePolicyVersion": theIAM, "SetDefaultPolicyVersion": theIAM,
}

const (
	theLogs       = "CloudWatch Logs"
	theCloudWatch = "CloudWatch"
	theSNS        = "SNS"
	theTrails     = "CloudTrail"
	theParameters = "SSM"
	theIAM        = "IAM"
)

func service(op string) string {
	if s := services[op]; s != "" {
		return s
	}
	return "EC2"
}

// deniedCode returns what a service calls a missing permission. Sources:
// "Error codes for the Amazon EC2 API"; "Common errors" of the API references
// of CloudWatch Logs, CloudWatch, IAM and CloudTrail; SNS API Reference, Publish.
func deniedCode(op string) string {
	switch service(op) {
	case "EC2":
		return "UnauthorizedOperation"
	case theSNS:
		return "AuthorizationError"
	case theCloudWatch, theIAM:
		return "AccessDenied"
	}
	return "AccessDeniedException"
}

// closedCode returns what a service answers in a region that the account has
// not opted into. Source: AWS Account Management Reference, "Enable or disable
// AWS Regions in your account"; the codes are unverified.
func closedCode(op string) string {
	switch service(op) {
	case "EC2":
		return "AuthFailure"
	case theSNS, theCloudWatch, theIAM:
		return "InvalidClientTokenId"
	}
	return "UnrecognizedClientException"
}
