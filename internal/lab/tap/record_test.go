package tap

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
)

// alarmJSON is the record's requestParameters of one PutMetricAlarm, whatever
// the protocol.
const alarmJSON = `{"alarmName":"12","namespace":"N","metricName":"M","threshold":1,"period":300,"actionsEnabled":false,
	"alarmActions":["arn:aws:sns:eu-west-1:111122223333:t"],"oKActions":["a","b"],
	"dimensions":[{"name":"x","value":"7"}]}`

func cborAlarm() string {
	return string(cbor.Encode(cbor.Map{
		"AlarmName": cbor.String("12"), "Namespace": cbor.String("N"), "MetricName": cbor.String("M"),
		"Threshold": cbor.Float64(1), "Period": cbor.Uint(300), "ActionsEnabled": cbor.Bool(false),
		"AlarmActions": cbor.List{cbor.String("arn:aws:sns:eu-west-1:111122223333:t")},
		"OKActions":    cbor.List{cbor.String("a"), cbor.String("b")},
		"Dimensions":   cbor.List{cbor.Map{"Name": cbor.String("x"), "Value": cbor.String("7")}},
	}))
}

// noForm has the headers of a call whose client sends no content type.
var noForm = map[string]string{"Accept": "*/*"}

func smithy() map[string]string {
	return map[string]string{"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor"}
}

const cwPath = "service/GraniteServiceVersion20100801/operation/"

// Each row is a call as clients write it, the reply, and the expected record. A
// row without an event name raises no event.
func TestRecords(t *testing.T) {
	const denied = "User: arn:aws:iam::111122223333:user/mallory is not authorized"
	tests := []struct {
		name     string
		wire     wire
		status   int
		reply    string
		source   string // aws.<service> if it differs from the signing name
		event    string
		region   string // if it differs from eu-west-1
		params   string
		response string
		code     string
		message  string
	}{
		{
			name: "ec2 early shape",
			wire: wire{service: "ec2", body: "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16&AmazonProvidedIpv6CidrBlock=false" +
				"&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value=red"},
			reply: `<CreateVpcResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><vpc><vpcId>vpc-1</vpcId>
				<ownerId>111122223333</ownerId><cidrBlockAssociationSet><item><associationId>a-1</associationId>
				<cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet>
				<tagSet/><isDefault>false</isDefault></vpc></CreateVpcResponse>`,
			event: "CreateVpc",
			params: `{"cidrBlock":"10.0.0.0/16","amazonProvidedIpv6CidrBlock":false,
				"tagSpecificationSet":{"items":[{"resourceType":"vpc","tags":[{"key":"team","value":"red"}]}]}}`,
			response: `{"requestId":"r","vpc":{"vpcId":"vpc-1","ownerId":"111122223333","tagSet":{},"isDefault":false,
				"cidrBlockAssociationSet":{"items":[{"associationId":"a-1","cidrBlockState":{"state":"associated"}}]}}}`,
		},
		{
			name: "ec2 subnet", // as events/CreateSubnet.chosen.json
			wire: wire{service: "ec2", body: "Action=CreateSubnet&Version=2016-11-15&VpcId=vpc-1&CidrBlock=10.20.1.0%2F24" +
				"&TagSpecification.1.ResourceType=subnet&TagSpecification.1.Tag.1.Key=sensitive&TagSpecification.1.Tag.1.Value=yes"},
			reply: `<CreateSubnetResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><subnet><subnetId>subnet-1</subnetId>
				<availableIpAddressCount>251</availableIpAddressCount><tagSet><item><key>sensitive</key><value>yes</value></item></tagSet></subnet></CreateSubnetResponse>`,
			event: "CreateSubnet",
			params: `{"vpcId":"vpc-1","cidrBlock":"10.20.1.0/24",
				"tagSpecificationSet":{"items":[{"resourceType":"subnet","tags":[{"key":"sensitive","value":"yes"}]}]}}`,
			response: `{"requestId":"r","subnet":{"subnetId":"subnet-1","availableIpAddressCount":251,"tagSet":{"items":[{"key":"sensitive","value":"yes"}]}}}`,
		},
		{
			name: "ec2 network interface", // as events/CreateNetworkInterface.chosen.json
			wire: wire{service: "ec2", body: "Action=CreateNetworkInterface&Version=2016-11-15&SubnetId=subnet-1" +
				"&TagSpecification.1.ResourceType=network-interface&TagSpecification.1.Tag.1.Key=sensitive&TagSpecification.1.Tag.1.Value=yes"},
			reply: `<CreateNetworkInterfaceResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><networkInterface>
				<networkInterfaceId>eni-1</networkInterfaceId><subnetId>subnet-1</subnetId><requesterManaged>false</requesterManaged></networkInterface></CreateNetworkInterfaceResponse>`,
			event:    "CreateNetworkInterface",
			params:   `{"subnetId":"subnet-1","tagSpecificationSet":{"items":[{"resourceType":"network-interface","tags":[{"key":"sensitive","value":"yes"}]}]}}`,
			response: `{"requestId":"r","networkInterface":{"networkInterfaceId":"eni-1","subnetId":"subnet-1","requesterManaged":false}}`,
		},
		{
			name: "firehose tags", // as events/UntagDeliveryStream.logs.json
			wire: wire{service: "firehose", body: `{"DeliveryStreamName":"flow-logs","TagKeys":["LogDeliveryEnabled"]}`, headers: map[string]string{
				"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Firehose_20150804.UntagDeliveryStream",
			}},
			reply: `{}`, event: "UntagDeliveryStream", params: `{"deliveryStreamName":"flow-logs","tagKeys":["LogDeliveryEnabled"]}`,
		},
		{
			name: "firehose destination", // as events/UpdateDestination.logs.json
			wire: wire{service: "firehose", body: `{"DeliveryStreamName":"flow-logs","CurrentDeliveryStreamVersionId":"1","DestinationId":"destinationId-1",` +
				`"ExtendedS3DestinationUpdate":{"BucketARN":"arn:aws:s3:::elsewhere-444455556666"}}`, headers: map[string]string{
				"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Firehose_20150804.UpdateDestination",
			}},
			reply: `{}`, event: "UpdateDestination", params: `{"deliveryStreamName":"flow-logs","currentDeliveryStreamVersionId":"1",
				"destinationId":"destinationId-1","extendedS3DestinationUpdate":{"bucketARN":"arn:aws:s3:::elsewhere-444455556666"}}`,
		},
		{
			name: "ec2 lists of structures",
			wire: wire{service: "ec2", body: "Action=AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp" +
				"&IpPermissions.1.FromPort=22&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0"},
			reply: `<AuthorizeSecurityGroupIngressResponse><requestId>r</requestId><return>true</return></AuthorizeSecurityGroupIngressResponse>`,
			event: "AuthorizeSecurityGroupIngress",
			params: `{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,
				"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}`,
			response: `{"requestId":"r","_return":true}`,
		},
		{
			name:     "ec2 lists of names",
			wire:     wire{service: "ec2", body: "Action=CreateTags&ResourceId.1=vpc-1&ResourceId.2=vpc-2&Tag.1.Key=k&Tag.1.Value=v"},
			reply:    `<CreateTagsResponse><requestId>r</requestId><return>true</return></CreateTagsResponse>`,
			event:    "CreateTags",
			params:   `{"resourcesSet":{"items":[{"resourceId":"vpc-1"},{"resourceId":"vpc-2"}]},"tagSet":{"items":[{"key":"k","value":"v"}]}}`,
			response: `{"requestId":"r","_return":true}`,
		},
		{
			name: "ec2 later shape",
			wire: wire{service: "ec2", body: "Action=CreateFlowLogs&ResourceType=VPC&TrafficType=REJECT&MaxAggregationInterval=600" +
				"&ResourceId.1=vpc-1&ResourceId.2=vpc-2&LogGroupName=g"},
			reply: `<CreateFlowLogsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>
				<unsuccessful/><flowLogIdSet><item>fl-1</item><item>fl-2</item></flowLogIdSet></CreateFlowLogsResponse>`,
			event: "CreateFlowLogs",
			params: `{"CreateFlowLogsRequest":{"ResourceType":"VPC","TrafficType":"REJECT","MaxAggregationInterval":600,
				"ResourceId":[{"content":"vpc-1","tag":1},{"content":"vpc-2","tag":2}],"LogGroupName":"g"}}`,
			response: `{"CreateFlowLogsResponse":{"xmlns":"http://ec2.amazonaws.com/doc/2016-11-15/","requestId":"r",
				"unsuccessful":"","flowLogIdSet":{"item":["fl-1","fl-2"]}}}`,
		},
		{
			name:     "ec2 list of one",
			wire:     wire{service: "ec2", body: "Action=DeleteFlowLogs&FlowLogId.1=fl-1"},
			reply:    `<DeleteFlowLogsResponse><requestId>r</requestId><unsuccessful/></DeleteFlowLogsResponse>`,
			event:    "DeleteFlowLogs",
			params:   `{"DeleteFlowLogsRequest":{"FlowLogId":{"content":"fl-1","tag":1}}}`,
			response: `{"DeleteFlowLogsResponse":{"xmlns":"","requestId":"r","unsuccessful":""}}`,
		},
		{
			name:     "ec2 no parameters",
			wire:     wire{service: "ec2", body: "Action=CreateDefaultVpc&Version=2016-11-15"},
			reply:    `<CreateDefaultVpcResponse><vpc><vpcId>vpc-1</vpcId></vpc></CreateDefaultVpcResponse>`,
			event:    "CreateDefaultVpc",
			params:   `{"CreateDefaultVpcRequest":""}`,
			response: `{"CreateDefaultVpcResponse":{"xmlns":"","vpc":{"vpcId":"vpc-1"}}}`,
		},
		{
			name: "ec2 refused", wire: wire{service: "ec2", body: "Action=DeleteFlowLogs&FlowLogId.1=fl-1"}, status: 403,
			reply: `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>` + denied + `</Message></Error></Errors></Response>`,
			event: "DeleteFlowLogs", params: `{"DeleteFlowLogsRequest":{"FlowLogId":{"content":"fl-1","tag":1}}}`,
			code: "Client.UnauthorizedOperation", message: denied,
		},
		{
			name: "ec2 broken", wire: wire{service: "ec2", body: "Action=CreateVpc&CidrBlock=10.0.0.0%2F16"}, status: 500,
			reply: `<Response><Errors><Error><Code>InternalError</Code><Message>m</Message></Error></Errors></Response>`,
			event: "CreateVpc", params: `{"cidrBlock":"10.0.0.0/16"}`, code: "Server.InternalError", message: "m",
		},
		{
			name: "logs",
			wire: wire{service: "logs", headers: target("Logs_20140328.PutMetricFilter"), body: `{"logGroupName":"g","filterName":"f",
				"metricTransformations":[{"metricName":"m","defaultValue":0}]}`},
			reply:  `{}`,
			event:  "PutMetricFilter",
			params: `{"logGroupName":"g","filterName":"f","metricTransformations":[{"metricName":"m","defaultValue":0}]}`,
		},
		{
			name: "logs refused for a reason", wire: wire{service: "logs", headers: target("Logs_20140328.DeleteLogGroup"), body: `{"logGroupName":"g"}`},
			status: 400, reply: `{"__type":"com.amazonaws#ResourceNotFoundException","message":"no such group"}`,
			event: "DeleteLogGroup", params: `{"logGroupName":"g"}`, code: "ResourceNotFoundException", message: "no such group",
		},
		{
			name: "logs denied", wire: wire{service: "logs", headers: target("Logs_20140328.DeleteLogGroup"), body: `{"logGroupName":"g"}`},
			status: 400, reply: `{"__type":"AccessDeniedException","Message":"` + denied + `"}`,
			event: "DeleteLogGroup", code: "AccessDenied", message: denied,
		},
		{
			name: "alarm by query",
			wire: wire{service: "monitoring", body: "Action=PutMetricAlarm&AlarmName=12&Namespace=N&MetricName=M&Threshold=1.0&Period=300&ActionsEnabled=false" +
				"&AlarmActions.member.1=arn%3Aaws%3Asns%3Aeu-west-1%3A111122223333%3At&OKActions.member.1=a&OKActions.member.2=b" +
				"&Dimensions.member.1.Name=x&Dimensions.member.1.Value=7"},
			reply: `<PutMetricAlarmResponse><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PutMetricAlarmResponse>`,
			event: "PutMetricAlarm", params: alarmJSON,
		},
		{
			name: "alarm by CBOR", wire: wire{service: "monitoring", path: cwPath + "PutMetricAlarm", headers: smithy(), body: cborAlarm()},
			reply: string(cbor.Encode(cbor.Map{})), event: "PutMetricAlarm", params: alarmJSON,
		},
		{
			name: "alarm by JSON",
			wire: wire{
				service: "monitoring", headers: target("GraniteServiceVersion20100801.PutMetricAlarm"),
				body: `{"AlarmName":"12","Namespace":"N","MetricName":"M","Threshold":1.0,"Period":300,"ActionsEnabled":false,
				"AlarmActions":["arn:aws:sns:eu-west-1:111122223333:t"],"OKActions":["a","b"],"Dimensions":[{"Name":"x","Value":"7"}]}`,
			},
			reply: `{}`, event: "PutMetricAlarm", params: alarmJSON,
		},
		{
			name:  "alarms named like numbers",
			wire:  wire{service: "monitoring", body: "Action=DeleteAlarms&AlarmNames.member.1=12&AlarmNames.member.2=true"},
			reply: `<DeleteAlarmsResponse/>`, event: "DeleteAlarms", params: `{"alarmNames":["12","true"]}`,
		},
		{
			name: "alarm denied by CBOR", status: 400,
			wire:  wire{service: "monitoring", path: cwPath + "DeleteAlarms", headers: smithy(), body: string(cbor.Encode(cbor.Map{"AlarmNames": cbor.List{cbor.String("x")}}))},
			reply: string(cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#AccessDeniedException"), "message": cbor.String("m")})),
			event: "DeleteAlarms", code: "AccessDenied", message: "m",
		},
		{
			name:  "topic",
			wire:  wire{service: "sns", body: "Action=SetTopicAttributes&TopicArn=arn%3At&AttributeName=SignatureVersion&AttributeValue=2"},
			reply: `<SetTopicAttributesResponse><ResponseMetadata/></SetTopicAttributesResponse>`,
			event: "SetTopicAttributes", params: `{"topicArn":"arn:t","attributeName":"SignatureVersion","attributeValue":"2"}`,
		},
		{
			name:     "topic with a map and a result",
			wire:     wire{service: "sns", body: "Action=CreateTopic&Name=t&Attributes.entry.1.key=KmsMasterKeyId&Attributes.entry.1.value=k"},
			reply:    `<CreateTopicResponse><CreateTopicResult><TopicArn>arn:t</TopicArn></CreateTopicResult></CreateTopicResponse>`,
			event:    "CreateTopic",
			params:   `{"name":"t","attributes":{"KmsMasterKeyId":"k"}}`,
			response: `{"topicArn":"arn:t"}`,
		},
		{
			name:  "queue keeps the case of its attributes",
			wire:  wire{service: "sqs", headers: target("AmazonSQS.CreateQueue"), body: `{"QueueName":"q","Attributes":{"VisibilityTimeout":"60"}}`},
			reply: `{"QueueUrl":"http://q"}`, event: "CreateQueue",
			params: `{"queueName":"q","attributes":{"VisibilityTimeout":"60"}}`, response: `{"queueUrl":"http://q"}`,
		},
		{
			name:  "trail",
			wire:  wire{service: "cloudtrail", headers: target("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.StopLogging"), body: `{"Name":"main"}`},
			reply: `{}`, event: "StopLogging", params: `{"name":"main"}`,
		},
		{
			name:  "rule",
			wire:  wire{service: "events", headers: target("AWSEvents.PutTargets"), body: `{"Rule":"r","Targets":[{"Id":"1","Arn":"arn:q"}]}`},
			reply: `{"FailedEntries":[],"FailedEntryCount":0}`, event: "PutTargets",
			params: `{"rule":"r","targets":[{"id":"1","arn":"arn:q"}]}`, response: `{"failedEntries":[],"failedEntryCount":0}`,
		},
		{
			name: "iam is in us-east-1", region: "us-east-1",
			wire: wire{service: "iam", body: "Action=CreateAccessKey&UserName=u"},
			reply: `<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>u</UserName><SecretAccessKey>s</SecretAccessKey>
				</AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>`,
			event: "CreateAccessKey", params: `{"userName":"u"}`, response: `{"accessKey":{"userName":"u"}}`,
		},
		{
			name:  "bucket policy",
			wire:  wire{service: "s3", method: "PUT", path: "b?policy", host: "s3.eu-west-1.amazonaws.com", headers: noForm, body: `{"Version":"2012-10-17","Statement":[]}`},
			event: "PutBucketPolicy",
			params: `{"bucketName":"b","Host":"s3.eu-west-1.amazonaws.com","policy":"",
				"bucketPolicy":{"Version":"2012-10-17","Statement":[]}}`,
		},
		{
			name: "bucket lifecycle by virtual host",
			wire: wire{
				service: "s3", method: "PUT", path: "?lifecycle=", host: "b.x.s3.eu-west-1.amazonaws.com", headers: noForm,
				body: `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>r</ID><Status>Enabled</Status>
				<Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>`,
			},
			event: "PutBucketLifecycle",
			params: `{"bucketName":"b.x","Host":"b.x.s3.eu-west-1.amazonaws.com","lifecycle":"","LifecycleConfiguration":
				{"xmlns":"http://s3.amazonaws.com/doc/2006-03-01/","Rule":{"ID":"r","Status":"Enabled","Expiration":{"Days":1}}}}`,
		},
		{
			name: "bucket refused", status: 403,
			wire:  wire{service: "s3", method: "DELETE", path: "b/?publicAccessBlock", host: "h", headers: noForm},
			reply: `<Error><Code>AccessDenied</Code><Message>m</Message></Error>`,
			event: "DeleteBucketPublicAccessBlock", code: "AccessDenied", message: "m",
			params: `{"bucketName":"b","Host":"h","publicAccessBlock":""}`,
		},
		{
			name:  "bucket made",
			wire:  wire{service: "s3", method: "PUT", path: "?x-id=CreateBucket", host: "b.localhost:4566", headers: map[string]string{"X-Amz-Acl": "private"}},
			event: "CreateBucket", params: `{"bucketName":"b","Host":"b.localhost:4566","x-amz-acl":"private"}`,
		},
		{
			name:  "bucket gone",
			wire:  wire{service: "s3", method: "DELETE", path: "b", host: "127.0.0.1:1", headers: noForm},
			event: "DeleteBucket", params: `{"bucketName":"b","Host":"127.0.0.1:1"}`,
		},
		{
			name:  "one of several configurations of a bucket",
			wire:  wire{service: "s3", method: "PUT", path: "b?id=i&inventory", host: "h", headers: noForm},
			event: "PutBucketInventoryConfiguration", params: `{"bucketName":"b","Host":"h","id":"i","inventory":""}`,
		},
		{
			name:  "function",
			wire:  wire{service: "lambda", path: "2015-03-31/functions", headers: noForm, body: `{"FunctionName":"f","Code":{"ZipFile":"UEs="},"Environment":{"Variables":{"k":"v"}}}`},
			reply: `{"FunctionName":"f","Version":"1"}`, event: "CreateFunction20150331",
			params: `{"functionName":"f","code":{},"environment":{}}`, response: `{"functionName":"f","version":"1"}`,
		},
		{
			name: "function by its ARN", status: 404, reply: `{"Message":"m"}`,
			wire:  wire{service: "lambda", method: "PUT", path: "2017-10-31/functions/arn%3Aaws%3Alambda%3Ax/concurrency", headers: noForm, body: `{"ReservedConcurrentExecutions":0}`},
			event: "PutFunctionConcurrency20171031", params: `{"functionName":"arn:aws:lambda:x","reservedConcurrentExecutions":0}`, code: "Not Found", message: "m",
		},
		{
			name:  "schedule",
			wire:  wire{service: "scheduler", method: "DELETE", path: "schedules/s?groupName=g", headers: noForm},
			event: "DeleteSchedule", params: `{"name":"s","groupName":"g"}`,
		},
		{
			name: "account is in us-east-1", region: "us-east-1",
			wire:  wire{service: "account", path: "enableRegion", headers: map[string]string{"Content-Type": "application/json"}, body: `{"RegionName":"af-south-1"}`},
			event: "EnableRegion", params: `{"regionName":"af-south-1"}`,
		},
		{
			name: "account refused", region: "us-east-1", status: 409, reply: `{"__type":"ConflictException","message":"m"}`,
			wire:  wire{service: "account", path: "disableRegion", headers: map[string]string{"Content-Type": "application/json"}, body: `{"RegionName":"af-south-1"}`},
			event: "DisableRegion", params: `{"regionName":"af-south-1"}`, code: "ConflictException", message: "m",
		},
		{
			name:  "too large",
			wire:  wire{service: "logs", headers: target("Logs_20140328.PutResourcePolicy"), body: fmt.Sprintf(`{"policyDocument":%q}`, strings.Repeat("x", 101<<10))},
			reply: `{}`, event: "PutResourcePolicy", params: `{"reason":"requestParameters too large","omitted":true}`,
		},
		{name: "nobody's call", wire: wire{service: "logs", headers: target("Logs_20140328.DeleteLogGroup"), body: `{}`}, status: 403, reply: `{"__type":"InvalidSignatureException"}`},
		{name: "a read", wire: wire{service: "ec2", body: "Action=DescribeVpcs"}},
		{name: "a read by name only", wire: wire{service: "sts", body: "Action=AssumeRole&RoleArn=r"}},
		{name: "a data event", wire: wire{service: "sns", body: "Action=Publish&Message=m"}},
		{name: "metric data", wire: wire{service: "monitoring", path: cwPath + "PutMetricData", headers: smithy(), body: cborAlarm()}},
		{name: "a read of the account", wire: wire{service: "account", path: "getRegionOptStatus", body: `{"RegionName":"af-south-1"}`}},
		{name: "an invocation", wire: wire{service: "lambda", path: "2015-03-31/functions/f/invocations", body: `{}`}},
		{name: "objects deleted", wire: wire{service: "s3", path: "b?delete", body: "<Delete/>"}},
		{name: "an object's tags", wire: wire{service: "s3", method: "PUT", path: "b/key?tagging", body: "<Tagging/>"}},
		{name: "an object by virtual host", wire: wire{service: "s3", method: "DELETE", path: "key", host: "b.s3.amazonaws.com"}},
		{name: "a bucket's listing", wire: wire{service: "s3", method: "GET", path: "b?policy"}},
		{name: "a session of a bucket", wire: wire{service: "s3", method: "PUT", path: "b?unheard-of"}},
		{name: "an object", wire: wire{service: "s3", path: "bucket/key", headers: target("not.AnOperation"), body: "Action=CreateVpc"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.body = tt.reply
			if tt.status != 0 {
				f.status = tt.status
			}
			if tt.wire.headers == nil {
				tt.wire.headers = form()
			}
			f.send(tt.wire)
			var records []Event
			for _, e := range f.events() {
				if e.DetailType == "AWS API Call via CloudTrail" {
					records = append(records, e)
				}
			}
			if tt.event == "" {
				if len(records) != 0 {
					t.Fatalf("events %+v, want none", records)
				}
				return
			}
			if len(records) != 1 {
				t.Fatalf("%d events, want 1", len(records))
			}
			region := "eu-west-1"
			if tt.region != "" {
				region = tt.region
			}
			got := decoded(t, records[0].Detail).(map[string]any)
			if records[0].Source != "aws."+tt.wire.service || records[0].Region != region || records[0].Account != account {
				t.Errorf("envelope %s %s %s, want aws.%s %s %s", records[0].Source, records[0].Region, records[0].Account, tt.wire.service, region, account)
			}
			want := map[string]any{
				"eventSource": tt.wire.service + ".amazonaws.com", "eventName": tt.event, "awsRegion": region,
				"requestParameters": optional(t, tt.params), "responseElements": optional(t, tt.response),
			}
			if tt.code != "" {
				want["errorCode"], want["errorMessage"] = tt.code, tt.message
			}
			shown := map[string]any{}
			for _, k := range []string{"eventSource", "eventName", "awsRegion", "requestParameters", "responseElements", "errorCode", "errorMessage"} {
				if v, ok := got[k]; ok {
					shown[k] = v
				}
			}
			if d := cmp.Diff(want, shown); d != "" {
				t.Errorf("record (-want +got):\n%s", d)
			}
		})
	}
}

func optional(t *testing.T, raw string) any {
	if raw == "" {
		return nil
	}
	return decoded(t, []byte(raw))
}

// Every record of a function's call has these members.
func TestRecordOfARoleSession(t *testing.T) {
	f := newFake(t)
	f.body, f.headers = "{}", map[string]string{"X-Amzn-Requestid": "req-1"}
	w := wire{service: "logs", key: lambda, headers: target("Logs_20140328.CreateLogGroup"), body: `{"logGroupName":"g"}`}
	w.headers["User-Agent"] = "agent/1"
	f.send(w)
	events := f.events()
	if len(events) != 1 {
		t.Fatalf("%d events, want 1", len(events))
	}
	got := decoded(t, events[0].Detail).(map[string]any)
	if got["eventTime"] != events[0].Time.Format("2006-01-02T15:04:05Z") || len(got["eventID"].(string)) != 36 || got["eventID"] == events[0].ID {
		t.Errorf("eventTime %v, eventID %v of event %s at %v", got["eventTime"], got["eventID"], events[0].ID, events[0].Time)
	}
	delete(got, "eventTime")
	delete(got, "eventID")
	want := decoded(t, []byte(`{
		"eventVersion":"1.11","eventSource":"logs.amazonaws.com","eventName":"CreateLogGroup","awsRegion":"eu-west-1",
		"sourceIPAddress":"127.0.0.1","userAgent":"agent/1","requestParameters":{"logGroupName":"g"},"responseElements":null,
		"requestID":"req-1","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,
		"recipientAccountId":"111122223333","eventCategory":"Management",
		"userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:fn","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE",
			"arn":"arn:aws:sts::111122223333:assumed-role/fn-role/fn",
			"sessionContext":{"attributes":{"creationDate":"2026-11-21T10:00:00Z","mfaAuthenticated":"false"},
				"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/fn-role",
					"accountId":"111122223333","userName":"fn-role"}}}}`))
	if d := cmp.Diff(want, any(got)); d != "" {
		t.Errorf("record (-want +got):\n%s", d)
	}
}

// Ten entries keep their order; sorting them as text would not.
func TestQueryTreeOrder(t *testing.T) {
	q := url.Values{}
	var want []any
	for i := range 12 {
		q.Set(fmt.Sprintf("A.%d", i+1), fmt.Sprint("v", i))
		want = append(want, fmt.Sprint("v", i))
	}
	if d := cmp.Diff(map[string]any{"A": want}, queryTree(q)); d != "" {
		t.Errorf("tree (-want +got):\n%s", d)
	}
}

func FuzzReadsAnything(f *testing.F) {
	f.Add("Action=CreateVpc&A.1=2&A.1.B=3&A.B.1=4", "<A><B/></A>", "\xa1\x61a\x01")
	f.Fuzz(func(t *testing.T, query, doc, bin string) {
		if form, err := url.ParseQuery(query); err == nil {
			tree := queryTree(form)
			marshal(ec2Request("CreateFlowLogs", tree))
			marshal(ec2Request("CreateVpc", tree))
			marshal(queryRequest("", tree))
		}
		if root := parseXML([]byte(doc)); root != nil {
			marshal(ec2Response("CreateFlowLogs", root))
			marshal(ec2Response("CreateVpc", root))
			marshal(queryResponse(root))
		}
		m, _ := decodeCBOR([]byte(bin))
		marshal(camel(m))
	})
}

// A successful reply of EC2 that has only failures did nothing.
func TestUndone(t *testing.T) {
	const failure = "<item><resourceId>vpc-1</resourceId><error><code>FlowLogAlreadyExists</code><message>no</message></error></item>"
	for _, tt := range []struct{ operation, ids, failures, want string }{
		{"CreateFlowLogs", "&ResourceId.1=vpc-1", failure, "FlowLogAlreadyExists"},
		{"CreateFlowLogs", "&ResourceId.1=vpc-1&ResourceId.2=vpc-2", failure, ""},
		{"CreateFlowLogs", "&ResourceId.1=vpc-1&ResourceId.2=vpc-2", failure + failure, "FlowLogAlreadyExists"},
		{"CreateFlowLogs", "&ResourceId.1=vpc-1", "", ""},
		{"DeleteFlowLogs", "&FlowLogId.1=fl-1", failure, "FlowLogAlreadyExists"},
		{"DeleteFlowLogs", "&FlowLogId.1=fl-1&FlowLogId.2=fl-2", failure, ""},
	} {
		f := newFake(t)
		f.body = "<" + tt.operation + "Response><requestId>r</requestId><unsuccessful>" + tt.failures + "</unsuccessful></" + tt.operation + "Response>"
		f.send(wire{service: "ec2", headers: form(), body: "Action=" + tt.operation + tt.ids})
		calls := f.tap.Calls(func(Call) bool { return true })
		if got := calls[len(calls)-1]; got.Undone != tt.want || got.ErrorCode != "" {
			t.Errorf("%s%s with %q: undone %q, error %q; want undone %q", tt.operation, tt.ids, tt.failures, got.Undone, got.ErrorCode, tt.want)
		}
	}
}

// Reads of a bucket's policy and of an object have the operation's name, and others their
// path.
func TestReadsOfBuckets(t *testing.T) {
	f := newFake(t)
	for path, want := range map[string]string{"b?policy": "GetBucketPolicy", "b/key?policy": "GET /b/key", "b": "GET /b", "b/a/key": "GetObject", "b/a/key?x-id=GetObject": "GetObject"} {
		f.send(wire{service: "s3", method: "GET", path: path})
		calls := f.tap.Calls(func(Call) bool { return true })
		if last := calls[len(calls)-1]; last.Operation != want || last.Write {
			t.Errorf("GET %s is listed as %q, a write: %t; want %q", path, last.Operation, last.Write, want)
		}
	}
}
