package pattern_test

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/pattern"
)

// A record is a CloudTrail record with the fields that patterns read. Sources of the
// shapes: CloudTrail User Guide, "CloudTrail record contents", "AWS Management
// Console sign-in events", "CloudTrail userIdentity element" and "AWS service events".
func record(source, name string, more ...string) string {
	fields := append([]string{
		`"eventVersion":"1.11"`, `"awsRegion":"us-east-1"`, `"sourceIPAddress":"192.0.2.10"`, `"recipientAccountId":"111122223333"`,
		`"eventSource":"` + source + `.amazonaws.com"`, `"eventName":"` + name + `"`,
	}, more...)
	if !strings.Contains(strings.Join(more, ","), `"userIdentity"`) {
		fields = append(fields, `"userIdentity":{"type":"IAMUser","principalId":"AIDACKCEVSQ6C2EXAMPLE","arn":"arn:aws:iam::111122223333:user/Mary","accountId":"111122223333","userName":"Mary"}`)
	}
	if !strings.Contains(strings.Join(more, ","), `"eventType"`) {
		fields = append(fields, `"eventType":"AwsApiCall"`)
	}
	return "{" + strings.Join(fields, ",") + "}"
}

const (
	root        = `"userIdentity":{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}`
	rootService = `"userIdentity":{"type":"Root","principalId":"111122223333","accountId":"111122223333","invokedBy":"support.amazonaws.com"}`
	role        = `"userIdentity":{"type":"AssumedRole","principalId":"AROAIDPPEZS35WEXAMPLE:session","arn":"arn:aws:sts::111122223333:assumed-role/Admin/session"}`
	denied      = `"errorCode":"AccessDenied","errorMessage":"User is not authorized"`
	ec2Denied   = `"errorCode":"Client.UnauthorizedOperation"`
	signedIn    = `"eventType":"AwsConsoleSignIn","responseElements":{"ConsoleLogin":"Success"}`
	notSignedIn = `"eventType":"AwsConsoleSignIn","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}`
	withMFA     = `"additionalEventData":{"LoginTo":"https://console.aws.amazon.com","MobileVersion":"No","MFAUsed":"Yes"}`
	withoutMFA  = `"additionalEventData":{"LoginTo":"https://console.aws.amazon.com","MobileVersion":"No","MFAUsed":"No"}`
	federated   = `"additionalEventData":{"MobileVersion":"No"}`
)

// Each row is a log event and the controls that it trips.
var trips = []struct {
	event    string
	controls string // IDs; "-securityhub" twins of the same name are meant too
}{
	{record("ec2", "DescribeInstances", ec2Denied), "unauthorized-api-calls unauthorized-api-calls-securityhub"},
	{record("s3", "GetObject", denied), "unauthorized-api-calls unauthorized-api-calls-securityhub"},
	{record("kms", "Decrypt", `"errorCode":"AccessDeniedException"`), "unauthorized-api-calls unauthorized-api-calls-securityhub"},
	{record("s3", "HeadBucket", denied), "unauthorized-api-calls-securityhub"},
	{record("s3", "PutObject", denied, `"sourceIPAddress":"delivery.logs.amazonaws.com"`), "unauthorized-api-calls-securityhub"},
	{record("ec2", "RunInstances", `"errorCode":"Client.InvalidParameterValue"`), ""},
	{record("ec2", "DescribeInstances"), ""},

	{record("signin", "ConsoleLogin", signedIn, withoutMFA), "console-signin-without-mfa"},
	{record("signin", "ConsoleLogin", signedIn, withMFA), ""},
	{record("signin", "ConsoleLogin", signedIn, federated, role), ""}, // no MFAUsed: no comparison holds
	{record("signin", "ConsoleLogin", notSignedIn, withoutMFA), "console-signin-without-mfa console-signin-failures"},
	{record("signin", "ConsoleLogin", notSignedIn, withMFA), "console-signin-failures"},
	{record("signin", "ConsoleLogin", `"errorMessage":"No username found in supplied account"`, withMFA), ""},
	{record("signin", "CheckMfa", `"errorMessage":"Failed authentication"`), ""},

	{record("iam", "ListUsers", root), "root-usage"},
	{record("signin", "ConsoleLogin", root, signedIn, withMFA), "root-usage"},
	{record("signin", "ConsoleLogin", root, signedIn, withoutMFA), "root-usage console-signin-without-mfa"},
	{record("support", "DescribeTrustedAdvisorChecks", rootService), ""},
	{record("kms", "RotateKey", root, `"eventType":"AwsServiceEvent"`), ""},
	{record("iam", "ListUsers", role), ""},

	{record("iam", "AttachUserPolicy"), "iam-changes"},
	{record("iam", "DeleteRolePolicy"), "iam-changes"},
	{record("iam", "CreatePolicyVersion"), "iam-changes"},
	{record("iam", "DetachGroupPolicy"), "iam-changes"},
	{record("iam", "PutUserPolicy", denied), "iam-changes unauthorized-api-calls unauthorized-api-calls-securityhub"},
	{record("iam", "GetPolicy"), ""},
	{record("iam", "SetDefaultPolicyVersion"), ""}, // CIS does not list it

	{record("cloudtrail", "StopLogging"), "cloudtrail-changes"},
	{record("cloudtrail", "DeleteTrail"), "cloudtrail-changes"},
	{record("cloudtrail", "UpdateTrail"), "cloudtrail-changes"},
	{record("cloudtrail", "StartLogging"), "cloudtrail-changes"},
	{record("cloudtrail", "CreateTrail"), "cloudtrail-changes"},
	{record("cloudtrail", "PutEventSelectors"), ""}, // CIS does not list it
	{record("cloudtrail", "LookupEvents"), ""},

	{record("kms", "DisableKey"), "cmk-disabled-or-deleted"},
	{record("kms", "ScheduleKeyDeletion"), "cmk-disabled-or-deleted"},
	{record("kms", "CancelKeyDeletion"), ""},
	{record("example", "DisableKey"), ""}, // another service's call of the name

	{record("s3", "PutBucketPolicy"), "s3-bucket-policy-changes"},
	{record("s3", "PutBucketAcl"), "s3-bucket-policy-changes"},
	{record("s3", "DeleteBucketReplication"), "s3-bucket-policy-changes"},
	{record("s3", "DeleteBucketCors"), "s3-bucket-policy-changes"},
	{record("s3", "PutBucketLifecycle"), "s3-bucket-policy-changes"},
	{record("s3", "PutBucketTagging"), ""},
	{record("s3-outposts", "PutBucketPolicy"), ""},

	{record("config", "StopConfigurationRecorder"), "config-changes"},
	{record("config", "DeleteDeliveryChannel"), "config-changes"},
	{record("config", "PutConfigurationRecorder"), "config-changes"},
	{record("config", "StartConfigurationRecorder"), ""},
	{record("config", "DeleteConfigurationRecorder"), ""}, // CIS does not list it

	{record("ec2", "AuthorizeSecurityGroupIngress"), "security-group-changes security-group-changes-securityhub"},
	{record("ec2", "RevokeSecurityGroupEgress"), "security-group-changes security-group-changes-securityhub"},
	{record("ec2", "CreateSecurityGroup"), "security-group-changes security-group-changes-securityhub"},
	{record("ec2", "DeleteSecurityGroup", ec2Denied), "security-group-changes security-group-changes-securityhub unauthorized-api-calls unauthorized-api-calls-securityhub"},
	{record("ec2", "ModifySecurityGroupRules"), "security-group-changes"},
	{record("ec2", "DescribeSecurityGroups"), ""},
	{record("ec2", "UpdateSecurityGroupRuleDescriptionsIngress"), ""},

	{record("ec2", "CreateNetworkAcl"), "nacl-changes"},
	{record("ec2", "ReplaceNetworkAclAssociation"), "nacl-changes"},
	{record("ec2", "DeleteNetworkAclEntry"), "nacl-changes"},
	{record("ec2", "DescribeNetworkAcls"), ""},

	{record("ec2", "AttachInternetGateway"), "network-gateway-changes"},
	{record("ec2", "CreateCustomerGateway"), "network-gateway-changes"},
	{record("ec2", "DetachInternetGateway"), "network-gateway-changes"},
	{record("ec2", "CreateNatGateway"), ""},

	{record("ec2", "CreateRoute"), "route-table-changes route-table-changes-securityhub"},
	{record("ec2", "DisassociateRouteTable"), "route-table-changes route-table-changes-securityhub"},
	{record("ec2", "ReplaceRouteTableAssociation"), "route-table-changes route-table-changes-securityhub"},
	{record("appmesh", "CreateRoute"), "route-table-changes-securityhub"}, // Security Hub's text names no service
	{record("ec2", "AssociateRouteTable"), ""},                            // CIS does not list it

	{record("ec2", "CreateVpc"), "vpc-changes"},
	{record("ec2", "ModifyVpcAttribute"), "vpc-changes"},
	{record("ec2", "RejectVpcPeeringConnection"), "vpc-changes"},
	{record("ec2", "EnableVpcClassicLink"), "vpc-changes"},
	{record("ec2", "CreateVpcEndpoint"), ""},
	{record("ec2", "CreateDefaultVpc"), ""}, // CIS does not list it

	{record("organizations", "LeaveOrganization"), "organizations-changes"},
	{record("organizations", "CreatePolicy"), "organizations-changes iam-changes"}, // IAM's text names no service
	{record("organizations", "EnableAllFeatures"), "organizations-changes"},
	{record("organizations", "ListAccounts"), ""},
	{record("iam", "CreatePolicy"), "iam-changes"},

	{record("events", "DisableRule", `"requestParameters":{"name":"relight-alarms"}`), "tampering"},
	{record("monitoring", "DeleteAlarms", `"requestParameters":{"alarmNames":["mine","relight-root-usage"]}`), "tampering"},
	{record("lambda", "UpdateFunctionCode20150331v2", `"requestParameters":{"functionName":"arn:aws:lambda:us-east-1:111122223333:function:relight-alarms"}`), "tampering"},
	{record("sqs", "PurgeQueue", `"requestParameters":{"queueUrl":"https://sqs.us-east-1.amazonaws.com/111122223333/relight-alarms"}`), "tampering"},
	{record("events", "DisableRule", `"requestParameters":{"name":"alarms"}`), ""},
	{record("events", "DescribeRule", `"requestParameters":{"name":"relight-alarms"}`), ""},
	{`not JSON`, ""},
	{`[1]`, ""},
	{`{}`, ""},
}

// TestControlsTrip: each control is tried on each log event, so that no row is true
// by accident.
func TestControlsTrip(t *testing.T) {
	if len(trips) < 80 {
		t.Errorf("%d log events, want 80", len(trips))
	}
	tripped := map[string]bool{}
	for _, row := range trips {
		for _, c := range catalog.Controls() {
			p, err := pattern.Parse(c.Pattern)
			if err != nil {
				t.Fatalf("%s: %v", c.ID, err)
			}
			want := strings.Contains(" "+row.controls+" ", " "+c.ID+" ")
			tripped[c.ID] = tripped[c.ID] || want
			if got := p.Matches(row.event); got != want {
				t.Errorf("%s trips %s: %t, want %t", row.event, c.ID, got, want)
			}
			if why := p.Why(row.event); (why == "") != want {
				t.Errorf("%s and %s: Why returns %q", row.event, c.ID, why)
			}
			if p, err = pattern.Parse(p.String()); err != nil || p.Matches(row.event) != want {
				t.Errorf("%s: the canonical form %v (%v) means something else for %s", c.ID, p, err, row.event)
			}
		}
	}
	for _, c := range catalog.Controls() {
		if !tripped[c.ID] {
			t.Errorf("no log event trips %s", c.ID)
		}
		if p, err := pattern.Parse(c.Pattern); err != nil || !p.Matches(c.Sample) {
			t.Errorf("%s does not match its sample: %v", c.ID, err)
		}
	}
}

// TestMatches has the examples of the CloudWatch Logs User Guide, "Filter pattern
// syntax", today's and the one of 2019, and what follows from its text.
func TestMatches(t *testing.T) {
	const (
		trail  = `{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],"objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"cluster.name":"c","ThisFlag":true,"That":false}`
		user   = `{"user":{"id":1,"email":"John.Stiles@example.com"},"users":[{"id":2,"email":"John.Doe@example.com"},{"id":3,"email":"Jane.Doe@example.com"}],"actions":["GET","PUT","DELETE"],"coordinates":[[0,1,2],[4,5,6],[7,8,9]],"list":[1,2,3],"latency":5e2,"code":"404","text":"say \"x\"","dotted":"a.b"}`
		access = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
		flow   = `2 111122223333 eni-0123456789abcdef0 198.51.100.7 10.0.0.5 40000 22 6 1 40 1700000000 1700000060 REJECT OK`
	)
	for _, row := range []struct {
		pattern, message string
		want             bool
	}{
		{`{ $.eventType = "UpdateTrail" }`, trail, true},
		{`{ $.eventType = UpdateTrail }`, trail, true},
		{`{ $.eventType = updatetrail }`, trail, false}, // case counts
		{`{ $.sourceIPAddress != 123.123.* }`, trail, true},
		{`{ $.sourceIPAddress != 111.111.* }`, trail, false},
		{`{ $.sourceIPAddress = %111\.111\.111\.1[0-9]{1,2}% }`, trail, true},
		{`{ $.* = %111\.111\.111\.1[0-9]{1,2}% }`, trail, true},
		{`{ $.arrayKey[0] = "value" }`, trail, true},
		{`{ $.arrayKey[1] = "value" }`, trail, false},
		{`{ $.arrayKey[*] = %val.{2}% }`, trail, true},
		{`{ $.arrayKey[*] = "another *" }`, trail, true},
		{`{ $.arrayKey = "value" }`, trail, false},
		{`{ $.arrayKey != "value" }`, trail, false},
		{`{ $.eventType[0] = "U" }`, trail, false},
		{`{ $.objectList[1].id = 2 }`, trail, true},
		{`{ $.objectList[*].id = 3 }`, trail, false},
		{`{ $.SomeObject IS NULL }`, trail, true},
		{`{ $.Missing IS NULL }`, trail, false},
		{`{ $.SomeObject NOT EXISTS }`, trail, false},
		{`{ $.SomeOtherObject NOT EXISTS }`, trail, true},
		{`{ $.some.deep.field not  exists }`, trail, true},
		{`{ $.ThisFlag IS TRUE }`, trail, true},
		{`{ $.ThisFlag IS FALSE }`, trail, false},
		{`{ $.That IS FALSE }`, trail, true},
		{`{ $.['cluster.name'] = "c" }`, trail, true},
		{`{ $["cluster.name"] = "c" }`, trail, true},
		{`{ $.Missing = "*" }`, trail, false},
		{`{ $.Missing != "x" }`, trail, false},
		{`{ $.eventType = * }`, trail, true},
		{`{ $.eventType = "*Trail" }`, trail, true},
		{`{ $.eventType = "Update*" }`, trail, true},
		{`{ $.eventType = "*date*" }`, trail, true},
		{`{ $.eventType = "Up*il" }`, trail, false},
		{`{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }`, user, true},
		{`{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }`, user, false},
		{`{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }`, user, true},
		{`{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }`, user, false},
		{`{ $.coordinates[2][0] >= 7 }`, user, true},
		{`{ $.latency >= 500 }`, user, true},
		{`{ $.latency = 500 }`, user, true},
		{`{ $.latency < +5.001e2 }`, user, true},
		{`{ $.latency > 500 }`, user, false},
		{`{ $.latency != 500 }`, user, false},
		{`{ $.latency = 5* }`, user, true},
		{`{ $.code = 404 }`, user, true},
		{`{ $.code > 400 }`, user, false}, // a text
		{`{ $.code = 4* }`, user, true},
		{`{ $.text = "say \"x\"" }`, user, true},
		{`{ $.dotted = a.b }`, user, true},
		{`{ $.dotted = aXb }`, user, false},
		{`{ $.user = "*" }`, user, false},
		{`{ $.a = 1 }`, `{"a":1} trailing`, false},
		{`{ $.a = 1 }`, ` {"a":1} `, true},
		{`{ $.a NOT EXISTS }`, `text`, false},

		{`[ip, user, username, timestamp, request = *.html*, status_code = 4*, bytes]`, access, true},
		{`[ip, user, username, timestamp, request = *.html*, status_code = 404 || status_code = 410, bytes]`, access, true},
		{`[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]`, access, false},
		{`[ip, user, username, timestamp, request, status_code, bytes > 2000]`, access, false},
		{`[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request, status_code = 4*, bytes]`, access, true},
		{`[ip, user, username, timestamp = "10/*", request, status_code, bytes]`, access, true},
		{`[..., status_code = 404, bytes]`, access, true},
		{`[ip, user, ..., status_code = 200, bytes]`, access, false},
		{`[ip, user = Prod, ...]`, access, true},
		{`[ip, user]`, access, false},
		{`[a, b, c, d, e, f, g, h]`, access, false},
		{`[w1=ERROR, w2]`, `ERROR message`, true},
		{`[w1=ERROR || w1=WARN, w2]`, `WARN message`, true},
		{`[w1=ERROR || w1=WARN, w2]`, `ERROR WARN message`, false},
		{`[w1!=ERROR && w1!=WARN, w2]`, `INFO message`, true},
		{`[version, account, eni, source, destination, srcport, destport, protocol, packets, bytes, windowstart, windowend, action="REJECT", flowlogstatus]`, flow, true},
		{`[version, account, eni, source, destination, srcport, destport="22", protocol="6", packets, bytes, windowstart, windowend, action="ACCEPT", flowlogstatus]`, flow, false},
		{`[..., action=REJECT, status]`, flow, true},
		{`[v, ...]`, ``, false},
		{`[...]`, ``, true},

		{`ERROR`, `[ERROR 400] BAD REQUEST`, true},
		{`ERROR`, `[error 400]`, false},
		{`ERROR`, `Exiting with ERRORCODE: -1`, true},
		{`"ERROR" -"Exiting"`, `Exiting with ERRORCODE: -1`, false},
		{`ERROR Exception`, `[ERROR] Unhandled Exception`, true},
		{`ERROR Exception`, `[ERROR] x`, false},
		{`"BAD REQUEST"`, `[ERROR 400] BAD REQUEST`, true},
		{`"BAD  REQUEST"`, `[ERROR 400] BAD REQUEST`, false},
		{`?ERROR ?WARN`, `WARN message`, true},
		{`?ERROR ?WARN`, `INFO message`, false},
		{`?ERROR ?WARN REQUEST`, `INFO REQUEST`, true},
		{`%AUTHORI[SZ]ED%`, `[ERROR 401] UNAUTHORIZED REQUEST`, true},
		{`%^AUTHORIZED%`, `[ERROR 401] UNAUTHORIZED REQUEST`, false},
		{``, `anything`, true},
		{`" "`, `two words`, true},
	} {
		p, err := pattern.Parse(row.pattern)
		if err != nil {
			t.Errorf("%s: %v", row.pattern, err)
			continue
		}
		if got := p.Matches(row.message); got != row.want {
			t.Errorf("%s matches %s: %t, want %t", row.pattern, row.message, got, row.want)
		}
		again, err := pattern.Parse(p.String())
		if err != nil || again.Matches(row.message) != row.want || again.String() != p.String() {
			t.Errorf("%s has the canonical form %s, which is not equal: %v", row.pattern, p, err)
		}
	}
}

func TestWhy(t *testing.T) {
	for _, row := range []struct{ pattern, message, want string }{
		{`{ $.a = b && $.c = d }`, `{"a":"b"}`, `$.c does not exist, not "d"`},
		{`{ $.a = b && $.c = d }`, `{"a":"x"}`, `$.a is "x", not "b"; $.c does not exist, not "d"`},
		{`{ ($.a = b || $.a = c) && $.d = e }`, `{"a":"x","d":"e"}`, `$.a is "x", none of "b", "c"`},
		{`{ $.a = b || $.n > 3 && $.l[*] = 1 }`, `{"n":2,"l":[2,3]}`, `$.l[*] is 2, 3, not 1 and $.n is 2, which fails > 3, and $.a does not exist, not "b"`},
		{`{ $.a NOT EXISTS }`, `{"a":{}}`, `$.a is an object, which fails NOT EXISTS`},
		{`{ $.a = 1 }`, `text`, `no JSON object`},
		{`[a, b]`, `one`, `the 1 words of the log event do not satisfy [a, b]`},
		{`ERROR`, `fine`, `does not satisfy the terms "ERROR"`},
	} {
		p, err := pattern.Parse(row.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Why(row.message); !strings.Contains(got, row.want) {
			t.Errorf("%s does not match %s because %q, want %q", row.pattern, row.message, got, row.want)
		}
	}
}
