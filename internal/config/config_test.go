package config_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

var update = flag.Bool("update", false, "rewrite the golden file")

func TestEmptyIsGood(t *testing.T) {
	for _, raw := range []string{"", "{}", " \n"} {
		c, err := config.Parse([]byte(raw))
		if err != nil {
			t.Fatalf("Parse(%q): %v", raw, err)
		}
		p := c.Baseline()
		if got := p.FlowLogs.LogGroup; got != "relight-flow-logs" {
			t.Errorf("flow log group %q, want relight-flow-logs", got)
		}
		if p.FlowLogs.TrafficType != catalog.TrafficReject || p.FlowLogs.RetentionDays != 365 || p.FlowLogs.Aggregation != 600 {
			t.Errorf("flow log defaults %+v", p.FlowLogs)
		}
		if n := len(catalog.Controls()); len(p.Controls) != n || c.Mode(catalog.Alarms) != catalog.Repair {
			t.Errorf("%d controls in mode %s, want all %d in repair", len(p.Controls), c.Mode(catalog.Alarms), n)
		}
	}
}

// Audits are published only on request.
func TestAudit(t *testing.T) {
	for raw, want := range map[string]catalog.AuditSpec{
		`{}`:                             {},
		`{"audit":{}}`:                   {},
		`{"audit":{"securityHub":null}}`: {},
		`{"audit":{"securityHub":{}}}`:   {Frameworks: []string{"cis-5.0"}, Hours: 24},
		`{"audit":{"securityHub":{"frameworks":[],"hours":1}}}`:                                        {Frameworks: []string{"cis-5.0"}, Hours: 1},
		`{"audit":{"securityHub":{"frameworks":["security-hub","CIS-1.4","security-hub"],"hours":6}}}`: {Frameworks: []string{"security-hub", "cis-1.4"}, Hours: 6},
	} {
		c, err := config.Parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Baseline().Audit; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", raw, got, want)
		}
	}
	c, err := config.Parse([]byte(`{"audit":{"securityHub":{"frameworks":["cis-5.0","all"]}}}`))
	if err != nil || len(c.Baseline().Audit.Frameworks) != len(catalog.Frameworks()) {
		t.Errorf("%v, %v; want every framework", c.Baseline().Audit, err)
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	tests := []struct {
		raw  string
		want []string
	}{
		{`{"prefx":"x","flowLogs":{"retention":1}}`, []string{`unknown key "prefx": did you mean "prefix"?`, `unknown key "flowLogs.retention"`}},
		{`{"prefx":"x","sweepMinutes":1}`, []string{`"prefx"`, "sweepMinutes 1"}}, // both sorts of problems at once
		{
			`{"prefix":"Bad_","flowLogs":{"retentionDays":100,"aggregationSeconds":5,"graceSeconds":901},"sweepMinutes":1}`,
			[]string{"prefix", "flowLogs.graceSeconds 901: use 0 to 900", "flowLogs.retentionDays 100", "aggregationSeconds 5", "sweepMinutes 1"},
		},
		{`{"modes":{"alarm":"repair","flowlogs":"on"}}`, []string{`did you mean "alarms"?`, `"on" is not repair`}},
		{`{"controls":{"root-use":{"threshold":-1}}}`, []string{`did you mean "root-usage"?`, "threshold -1"}},
		{`{"addControls":[{"id":"topics-dead-letters","pattern":"a"},{"id":"untold","pattern":"a"}]}`, []string{"topics-dead-letters\" is the ID of an alarm of the stack", "untold\" is the ID of"}},
		{`{"addControls":[{"id":"root-usage","pattern":""}]}`, []string{"is already the ID of a control", "pattern has 0 characters"}},
		{`{"subscribers":[{"protocol":"fax","endpoint":""}],"tags":{"aws:x":"y","relight":"z"}}`, []string{`"fax"`, "endpoint is empty", "aws:x", "marks what relight creates"}},
		{`{"flowLogs":{"destinations":["s3"],"exemptVpcs":["web"],"format":"plain"}}`, []string{"flowLogs.destinations must include cloud-watch-logs", `"web"`, `"plain" is not a field`}},
		{`{"regions":["Ireland"],"kmsKeys":{"eu-west-1":"alias/x"}}`, []string{`"Ireland"`, `"alias/x"`}},
		{`{"prefix":"default","skipRegions":["Ireland","eu-west-1"],"regions":["eu-west-1"]}`, []string{`"default"`, `skipRegions: "Ireland"`, `"eu-west-1" is the home region or in regions`}},
		{`{"flowLogs":{"format":"${version} ${account-id}","rejectAlarm":{}}}`, []string{"flowLogs.rejectAlarm: flowLogs.format has no field ${action}"}},
		{`{"flowLogs":{"format":"${action} ${action}","rejectAlarm":{}}}`, []string{"flowLogs.rejectAlarm: no filter pattern", "use each field once"}},
		{`{"flowLogs":{"trafficType":"ACCEPT","rejectAlarm":{}}}`, []string{"flowLogs.rejectAlarm: flowLogs.trafficType ACCEPT records no rejected traffic"}},
		{`{"flowLogs":{"rejectAlarm":{"treshold":5}}}`, []string{`unknown key "flowLogs.rejectAlarm.treshold": did you mean "threshold"?`}},
		{`{"flowLogs":{"rejectAlarm":{"threshold":0,"periodSeconds":90}}}`, []string{"flowLogs.rejectAlarm.threshold 0", "flowLogs.rejectAlarm.periodSeconds 90"}},
		{`{"flowLogs":{"rejectAlarm":{}},"addControls":[{"id":"rejected-traffic","pattern":"a"}]}`, []string{`"rejected-traffic" is the ID of the alarm of flowLogs.rejectAlarm`}},
		{`{"flowLogs":{"destination":{"arn":"arn:aws:s3:::b"},"rejectAlarm":{}}}`, []string{`"b" is not the name of a bucket`, "flowLogs.rejectAlarm counts the records in a log group"}},
		{`{"flowLogs":{"destination":{"fileFormat":"csv"}}}`, []string{`flowLogs.destination.fileFormat "csv": use plain-text or parquet`, "is not the ARN of a bucket or Firehose stream"}},
		{`{"flowLogs":{"destination":{"arn":"arn:aws:s3:::flow-logs/AWSLogs/x","roleArn":"arn:aws:iam::111122223333:role/r"}}}`, []string{"EC2 reserves the folder AWSLogs", "a bucket takes no role"}},
		{`{"flowLogs":{"destination":{"arn":"arn:aws:s3:::flow-logs//x"}}}`, []string{`"/x" is not a folder`}},
		{`{"flowLogs":{"destination":{"arn":"arn:aws:s3:::flow_logs"}}}`, []string{`"flow_logs" is not the name of a bucket`}},
		{`{"flowLogs":{"destination":{"arn":"arn:aws:firehose:eu-west-1:111122223333:deliverystream/flows","perHourPartition":true}}}`, []string{"a stream is regional: write {region}", "are for buckets"}},
		{`{"flowLogs":{"destination":{"arn":"arn:aws:logs:eu-west-1:111122223333:log-group:flows"}}}`, []string{"is not the ARN of a bucket or Firehose stream"}},
		{
			`{"flowLogs":{"destination":{"arn":"arn:aws:firehose:{region}:444455556666:deliverystream/flows","roleArn":"arn:aws:iam::444455556666:role/r"}}}`,
			[]string{"needs both roles", "is of the stream's own account"},
		},
		{
			`{"flowLogs":{"destination":{"arn":"arn:aws:firehose:{region}:444455556666:deliverystream/flows","roleArn":"arn:aws:iam::111122223333:role/r","crossAccountRoleArn":"arn:aws:iam::111122223333:role/r"}}}`,
			[]string{"is not of the stream's account 444455556666"},
		},
		{`{"homeRegion":"eu-west-1","flowLogs":{"subnets":{"ids":["subnet-0a1b2c3d"],"destination":{"arn":"arn:aws-cn:s3:::flow-logs"}}}}`, []string{"flowLogs.subnets.destination.arn", "is in partition aws-cn"}},
		{`{"flowLogs":{"destinations":["cloud-watch-logs"],"networkInterfaces":{"tags":{"a":"b"},"destination":{"arn":"arn:aws:s3:::flow-logs"}}}}`, []string{"flowLogs.destinations must include s3"}},
		{
			`{"flowLogs":{"subnets":{"ids":["web","subnet-0a1b2c3d","subnet-0a1b2c3d"],"tags":{"team*":"a?","":"x"},"trafficType":"SOME"}}}`,
			[]string{`flowLogs.subnets.ids: "web" is not an ID`, `"subnet-0a1b2c3d" is listed twice`, `"team*" is not a key to choose by`, `"a?" is not a value to choose by`, `"" is not a key`, `flowLogs.subnets.trafficType "SOME"`},
		},
		{`{"flowLogs":{"networkInterfaces":{"trafficType":"ALL"}}}`, []string{"flowLogs.networkInterfaces chooses nothing"}},
		{`{"flowLogs":{"subnets":{"id":["subnet-0a1b2c3d"]}}}`, []string{`unknown key "flowLogs.subnets.id"`}},
		{`{"audit":{"securityHub":{"frameworks":["cis-5","all"],"hours":25}}}`, []string{`audit.securityHub.frameworks: "cis-5" is not a framework: use all, or some of cis-1.2, cis-1.3,`, "security-hub", "pci-4.0", "audit.securityHub.hours 25: use 1 to 24"}},
		{`{"audit":{"securityHub":{"hours":0}}}`, []string{"audit.securityHub.hours 0"}},
		{`{"audit":{"securityhub":{}}}`, []string{`unknown key "audit.securityhub": did you mean "securityHub"?`}},
		{`{"audit":{"securityHub":{"framework":"cis-5.0"}}}`, []string{`unknown key "audit.securityHub.framework": did you mean "frameworks"?`}},
		{`{"audit":{"securityHub":true}}`, []string{"audit.securityHub: use an object in { }"}},
		{`{"addControls":[{"id":"audit-errors","pattern":"a"},{"id":"audit-not-started","pattern":"a"}]}`, []string{"audit-errors\" is the ID of an alarm of the stack", "audit-not-started\" is the ID"}},
		{`{"flowLogs":{"format":"${ecs-cluster-arn}"}}`, []string{"ECS permissions"}},
		{`{"trail":{"name":"a b","bucket":"X","keyArn":"alias/x","roleArn":"x"}}`, []string{"trail.name", "trail.bucket", "trail.keyArn", "trail.roleArn"}},
		{`{"trail":{"create":true,"bucket":"audit-files"}}`, []string{"leave out trail.name, trail.bucket"}},
		{`{"permissionsBoundary":"arn:aws:iam::111122223333:role/x"}`, []string{"permissionsBoundary", "not the ARN of a managed policy"}},
		{`{"lastResort":{"topic":"security"}}`, []string{`lastResort.topic "security" is not the ARN of a topic`}},
		{`{"lastResort":{"topic":"arn:aws:sns:eu-west-1:444455556666:security:0a1b2c3d"}}`, []string{"is not the ARN of a topic"}},
		{`{"lastResort":{"topic":"arn:aws:sns:eu-west-1:444455556666:security.fifo"}}`, []string{"is a FIFO topic"}},
		{`{"prefix":"watch","lastResort":{"topic":"arn:aws:sns:eu-west-1:111122223333:watch-TopicBFC7AF6E-x"}}`, []string{"is one of relight's own topics"}},
		{`{"homeRegion":"us-east-1","lastResort":{"topic":"arn:aws-cn:sns:cn-north-1:444455556666:security"}}`, []string{"partitions share no accounts"}},
		{`{"lastResort":{"topic":"arn:aws:sns:nowhere-1:444455556666:security"}}`, []string{"is not a region of partition aws"}},
		{`{"homeRegion":"us-east-1","lastResort":{"subscribers":[{"protocol":"sqs","endpoint":"arn:aws-cn:sqs:cn-north-1:444455556666:oncall"}]}}`, []string{"lastResort.subscribers[0].endpoint", "partitions share no accounts"}},
		{`[]`, []string{"not a configuration"}},
		{`{`, []string{"not a configuration"}},
		{`{"sweepMinutes":"15"}`, []string{"sweepMinutes"}},
		{
			`{"pause":{"by":["operator","arn:aws:iam::111122223333:role/*","arn:aws:iam::111122223333:role/ops/rel*","arn:aws:iam::111122223333:role/relight-backfill","arn:aws:iam::111122223333:role/reli*","arn:aws:sts::111122223333:assumed-role/operator/alice","arn:aws:iam::1:user/alice"]}}`,
			[]string{
				`pause.by: "operator" is not the ARN`, `role/*" matches too many`, `ops/rel*" matches too many`, `relight-backfill" matches relight's own roles`, `reli*" matches relight's own roles`,
				`assumed-role/operator/alice" is not the ARN`, `arn:aws:iam::1:user/alice" is not the ARN`,
			},
		},
		{`{"pause":{"By":["x"]}}`, []string{`unknown key "pause.By": did you mean "by"?`}},
	}
	for _, tt := range tests {
		_, err := config.Parse([]byte(tt.raw))
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Parse(%s) = %v, want it to say %s", tt.raw, err, want)
			}
		}
	}
}

// AWS has a grammar or a limit for these values. A wrong value is refused here,
// with what to do, because AWS would refuse it only when relight restores.
func TestValuesThatAWSRefuses(t *testing.T) {
	long := strings.Repeat("x", 257)
	bad := map[string]string{ // the configuration, and a part of what it is refused with
		`{"flowLogs":{"format":"${version} ${action} "}}`:                                                           "exactly one blank",
		`{"flowLogs":{"format":" ${version}"}}`:                                                                     "exactly one blank",
		`{"flowLogs":{"format":"${version}  ${action}"}}`:                                                           "exactly one blank",
		`{"flowLogs":{"format":"${version},${action}"}}`:                                                            "exactly one blank",
		`{"flowLogs":{"format":"${version}\t${action}"}}`:                                                           "exactly one blank",
		`{"flowLogs":{"format":"${version}${action}"}}`:                                                             "exactly one blank",
		`{"flowLogs":{"format":"$version $action"}}`:                                                                `"$version" is not a field`,
		`{"flowLogs":{"format":"${version} {action}"}}`:                                                             `"{action}" is not a field`,
		`{"flowLogs":{"format":"${version} ${action"}}`:                                                             `"${action" is not a field`,
		`{"flowLogs":{"format":"${Version}"}}`:                                                                      `"${Version}" is not a field`,
		`{"flowLogs":{"format":"${}"}}`:                                                                             `"${}" is not a field`,
		`{"flowLogs":{"format":"${source-addr} ${dstadr}"}}`:                                                        `no field ${dstadr}: did you mean "dstaddr"?`,
		`{"flowLogs":{"logGroup":"aws/flow"}}`:                                                                      "begin with aws/",
		`{"trailLogs":{"logGroup":"aws/trail"}}`:                                                                    "begin with aws/",
		`{"trailLogs":{"logGroup":"arn:aws:logs:us-east-1:111122223333:log-group:trail"}}`:                          "is not a log group name",
		`{"trailLogs":{"logGroup":"a b"}}`:                                                                          "is not a log group name",
		`{"kmsKeys":{"eu-west-1":"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}}`:   "use a key in eu-west-1",
		`{"kmsKeys":{"eu-west-1":"arn:aws:kms:eu-west-1:111122223333:alias/x"}}`:                                    "is not the ARN of a KMS key",
		`{"subscribers":[{"protocol":"email","endpoint":"oncall"}]}`:                                                "use an email address",
		`{"subscribers":[{"protocol":"email-json","endpoint":"a@b"}]}`:                                              "use an email address",
		`{"subscribers":[{"protocol":"https","endpoint":"http://example.com/x"}]}`:                                  "begins with https://",
		`{"subscribers":[{"protocol":"https","endpoint":"example.com"}]}`:                                           "begins with https://",
		`{"subscribers":[{"protocol":"https","endpoint":"https://"}]}`:                                              "begins with https://",
		`{"subscribers":[{"protocol":"http","endpoint":"http://example.com/x"}]}`:                                   "use email, email-json, https",
		`{"subscribers":[{"protocol":"sms","endpoint":"555 0100"}]}`:                                                "phone number with +",
		`{"subscribers":[{"protocol":"sqs","endpoint":"https://sqs.eu-west-1.amazonaws.com/111122223333/oncall"}]}`: "use the queue's ARN",
		`{"subscribers":[{"protocol":"sqs","endpoint":"oncall"}]}`:                                                  "use the queue's ARN",
		`{"subscribers":[{"protocol":"sqs","endpoint":"arn:aws:sqs:eu-west-1:111122223333:oncall.fifo"}]}`:          "use a standard queue",
		`{"subscribers":[{"protocol":"sqs","endpoint":"arn:aws:sns:eu-west-1:111122223333:oncall"}]}`:               "use the queue's ARN",
		`{"subscribers":[{"protocol":"lambda","endpoint":"oncall"}]}`:                                               "use the function's ARN",
		`{"subscribers":[{"protocol":"lambda","endpoint":"arn:aws:lambda:eu-west-1:111122223333:layer:x"}]}`:        "use the function's ARN",
		`{"addControls":[{"id":"x","pattern":"status = 401"}]}`:                                                     "needs braces",
		`{"addControls":[{"id":"x","pattern":"{ $.a = %(b|c)% }"}]}`:                                                "parentheses",
		`{"addControls":[{"id":"x","pattern":"{ $.a = %b% && $.c = %d% && $.e = %f% }"}]}`:                          "at most 2",
		`{"addControls":[{"id":"x","pattern":"{ ($.a = b }"}]}`:                                                     ") is missing",
		`{"addControls":[{"id":"x","title":"` + long + `","pattern":"a"}]}`:                                         "title has 257 characters",
		`{"tags":{"team":"` + long + `"}}`:                                                                          "257 characters: use up to 256",
		`{"tags":{"` + long + `":"x"}}`:                                                                             "257 characters: use 1 to 128",
		`{"tags":{"":"x"}}`:                                                                                         "0 characters: use 1 to 128",
		`{"tags":{"team":"a&b"}}`:                                                                                   "use letters, digits, blanks",
		`{"tags":{"te<am":"a"}}`:                                                                                    "use letters, digits, blanks",
		`{"tags":{"team":"AWS:x"}}`:                                                                                 "AWS reserves values",
		`{"tags":` + manyTags(50) + `}`:                                                                             "use up to 49",
		`{"trail":{"bucket":"a..b"}}`:                                                                               "trail.bucket",
		`{"trail":{"bucket":"192.0.2.1"}}`:                                                                          "trail.bucket",
		`{"trail":{"name":"my--trail"}}`:                                                                            "trail.name",
		`{"trail":{"create":true},"prefix":"ab"}`:                                                                   "a trail's name needs 3 characters",
		`{"trail":{"create":true},"prefix":"audit-"}`:                                                               "without a hyphen at its end",
		`{"prefix":"a"}`:                                           "use a prefix of 3 or more characters",
		`{"prefix":"ab"}`:                                          "use a prefix of 3 or more characters",
		`{"prefix":"audit--log"}`:                                  "two in a row",
		`{"prefix":"sthree"}`:                                      "Amazon S3 reserves names",
		`{"prefix":"amzn-s3-demo"}`:                                "Amazon S3 reserves names",
		`{"prefix":"ssm-watch"}`:                                   "may not begin with aws or ssm",
		`{"prefix":"abcdefghijklmnopqrstu"}`:                       "use 3 to 20 lower-case letters",
		`{"prefix":"1audit"}`:                                      "a letter first",
		`{"flowLogs":{"exemptVpcs":["vpc-123"]}}`:                  "is not the ID of a VPC",
		`{"flowLogs":{"exemptVpcs":["subnet-0a1b2c3d4e5f60001"]}}`: "is not the ID of a VPC",
		`{"controls":{"root-usage":{"threshold":1e300}}}`:          "no metric gets that far",
		`{"prefix":"awsome"}`:                                      "may not begin with aws or ssm",

		`{"flowLogs":{"format":"${version} ${instance-tag}"}}`:                                                               "fields of tags need: leave out ${instance-tag}",
		`{"flowLogs":{"format":"${asg-tag-2}"}}`:                                                                             "leave out ${asg-tag-2}",
		`{"flowLogs":{"retentionDays":0}}`:                                                                                   "flowLogs.retentionDays 0: use one of",
		`{"flowLogs":{"aggregationSeconds":0}}`:                                                                              "flowLogs.aggregationSeconds 0: use 60 or 600",
		`{"trailLogs":{"retentionDays":0}}`:                                                                                  "trailLogs.retentionDays 0: use one of",
		`{"sweepMinutes":0}`:                                                                                                 "sweepMinutes 0: use 5 to 1440",
		`{"controls":{"root-usage":{"threshold":0}}}`:                                                                        "controls.root-usage.threshold 0: use a positive number",
		`{"controls":{"root-usage":{"periodSeconds":0}}}`:                                                                    "controls.root-usage.periodSeconds 0: use a multiple of 60",
		`{"controls":{"root-usage":{"periodSeconds":30}}}`:                                                                   "periodSeconds 30: use a multiple of 60",
		`{"controls":{"root-usage":{"periodSeconds":86460}}}`:                                                                "periodSeconds 86460: use a multiple of 60 up to 86400",
		`{"addControls":[{"id":"x","pattern":"a","threshold":0}]}`:                                                           "addControls[0].threshold 0: use a positive number",
		`{"addControls":[{"id":"x","title":"a\nb","pattern":"a"}]}`:                                                          "use one line",
		`{"addControls":[{"id":"x","pattern":" \t\n"}]}`:                                                                     "pattern has 0 characters",
		`{"addControls":` + manyControls(6, "{ $.a = %b% }") + `}`:                                                           "6 patterns have a regular expression: use up to 5",
		`{"addControls":` + manyControls(100, "a") + `}`:                                                                     "use up to 100, because a log group accepts no more filters",
		`{"subscribers":[` + to("email", "Oncall<a@example.com>"):                                                            "use an email address",
		`{"subscribers":[` + to("email", "mailto:a@example.com"):                                                             "use an email address",
		`{"subscribers":[` + to("email", "a@example.com;b@x.com"):                                                            "use an email address",
		`{"subscribers":[` + to("email", "a,b@example.com"):                                                                  "use an email address",
		`{"subscribers":[` + to("email", "a@exämple.com"):                                                                    "use an email address",
		`{"subscribers":[` + to("email", "a@-example.com"):                                                                   "use an email address",
		`{"subscribers":[` + to("email-json", "a@example.com "):                                                              "use an email address",
		`{"subscribers":[` + to("https", "https://exämple.com/"):                                                             "percent-encode",
		`{"subscribers":[` + to("https", "https://example.com/<x>"):                                                          "percent-encode",
		`{"subscribers":[` + to("https", "https://example.com:0/"):                                                           "use a port from 1 to 65535",
		`{"subscribers":[` + to("https", "https://example.com:/"):                                                            "use a port from 1 to 65535",
		`{"subscribers":[` + to("https", "https://example.com:65536"):                                                        "use a port from 1 to 65535",
		`{"subscribers":[` + to("https", "https://oncall/"):                                                                  "over the internet",
		`{"subscribers":[` + to("https", "https://example..com/"):                                                            "over the internet",
		`{"subscribers":[` + to("https", "https://10.0.0.1/"):                                                                "over the internet",
		`{"subscribers":[` + to("https", "https://[::1]/"):                                                                   "over the internet",
		`{"tags":{"team":""}}`:                                                                                               "tags.team: the value is empty",
		`{"tags":{"team":null}}`:                                                                                             "tags.team: the value is empty",
		`{"tags":{"team":"a","Team":"b"}}`:                                                                                   `"Team" and "team" differ only in case`,
		`{"regions":["eu-wset-1"]}`:                                                                                          `"eu-wset-1" is not an AWS region`,
		`{"homeRegion":"us-gov-1"}`:                                                                                          `"us-gov-1" is not an AWS region`,
		`{"skipRegions":["eu-west-1a"]}`:                                                                                     `"eu-west-1a" is not an AWS region`,
		`{"trail":{"bucket":"xn--a"}}`:                                                                                       "Amazon S3 reserves such names",
		`{"trail":{"bucket":"audit-s3alias"}}`:                                                                               "Amazon S3 reserves such names",
		`{"trail":{"bucket":"audit--use1-az4--x-s3"}}`:                                                                       "Amazon S3 reserves such names",
		`{"trail":{"bucket":"s3://audit"}}`:                                                                                  "use the name without s3://",
		`{"permissionsBoundary":"arn:aws:iam::111122223333:policy/team/"}`:                                                   "not the ARN of a managed policy: use",
		`{"permissionsBoundary":"arn:aws:iam::111122223333:policy/a*"}`:                                                      "not the ARN of a managed policy: use",
		`{"permissionsBoundary":"arn:aws:iam::111122223333:policy/` + strings.Repeat("a", 129) + `"}`:                        "not the ARN of a managed policy: use",
		`{"subscribers":[{"protocol":"lambda","endpoint":"arn:aws:lambda:eu-west-1:111122223333:function:oncall:$LATEST"}]}`: "leave it out",
		`{"subscribers":[{"protocol":"email","endpoint":"a@example.com"},{"protocol":"email","endpoint":"a@example.com"}]}`:  "subscribers[1] is listed before",
	}
	for raw, want := range bad {
		if _, err := config.Parse([]byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s) = %v, want %q", raw, err, want)
		}
	}
	for _, raw := range []string{
		`{"flowLogs":{"format":"` + catalog.DefaultFlowLogFormat + ` ${reject-reason} ${encryption-status}"}}`,
		`{"kmsKeys":{"eu-west-1":"arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"}}`,
		`{"subscribers":[{"protocol":"email","endpoint":"sec+oncall@example.com"},{"protocol":"https","endpoint":"https://example.com:8443/x?y=z"},
			{"protocol":"sms","endpoint":"+15555550100"},{"protocol":"sqs","endpoint":"arn:aws:sqs:eu-west-1:111122223333:oncall"},
			{"protocol":"lambda","endpoint":"arn:aws:lambda:eu-west-1:444455556666:function:oncall:live"}]}`,
		`{"tags":{"cost centre":"a/b @ 1+1=2"}}`,
		`{"tags":` + manyTags(49) + `}`,
		`{"trail":{"create":true},"prefix":"audit"}`,
		`{"trail":{"name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/my-trail"}}`,

		`{"flowLogs":{"format":"${account-id} ${vpc-id} ${account-id} ${interface-type} ${next-hop-vpc-id}"}}`,
		`{"flowLogs":{"graceSeconds":0},"controls":{"root-usage":{"threshold":2.5,"periodSeconds":86400}}}`,
		`{"addControls":` + manyControls(5, "{ $.a = %b% && $.c = %d% }") + `}`,
		`{"addControls":` + manyControls(catalog.FiltersPerGroup-len(catalog.Controls()), "a") + `}`,
		`{"addControls":` + manyControls(catalog.FiltersPerGroup-len(catalog.Controls())+1, "a") + `,"controls":{"root-usage":{"disabled":true}}}`,
		`{"subscribers":[` + to("email", "o'brien@mail.example.co.uk"),
		`{"subscribers":[` + to("email-json", "team#1/x=y%z@xn--exmple-cua.com"),
		`{"subscribers":[` + to("https", "https://user:pass@example.com/x"), // SNS Developer Guide, "Fanout Amazon SNS notifications to HTTPS endpoints"
		`{"subscribers":[` + to("https", "https://203.0.113.7:65535/x"),
		`{"subscribers":[` + to("https", "https://[2001:db8::1]/x?token=a%20b"),
		`{"subscribers":[` + to("lambda", "arn:aws:lambda:eu-west-1:111122223333:function:oncall:live"),
		`{"tags":{"awsome":"awsx","relight:env":"größe"}}`,
		`{"regions":["eu-west-1","eu-west-1","ap-southeast-9"],"homeRegion":"eu-west-1"}`,
		`{"trail":{"bucket":"audit-111122223333-us-west-2-an","roleArn":"arn:aws:iam::111122223333:role/service-role/Trail"}}`,
		`{"permissionsBoundary":"arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"}`,
		`{"homeRegion":"","regions":[],"tags":{},"flowLogs":{"format":"","logGroup":"","trafficType":""},"prefix":null,"trail":null}`,
	} {
		if _, err := config.Parse([]byte(raw)); err != nil {
			t.Errorf("Parse(%s) = %v, want no error", raw, err)
		}
	}
}

// to is the rest of a configuration with one subscriber.
func to(protocol, endpoint string) string {
	raw, _ := json.Marshal(config.Subscriber{Protocol: protocol, Endpoint: endpoint}) // strings always marshal
	return string(raw) + "]}"
}

func manyControls(n int, pattern string) string {
	var controls []config.NewControl
	for i := range n {
		controls = append(controls, config.NewControl{ID: "x" + strconv.Itoa(i), Pattern: pattern})
	}
	raw, _ := json.Marshal(controls) // strings always marshal
	return string(raw)
}

// A value of another type is one of the problems, and does not hide the others.
func TestWrongType(t *testing.T) {
	for raw, want := range map[string]string{
		`{"prefix":"Bad_","flowLogs":{"format":5}}`:                                   "flowLogs.format: use text in double quotes instead of this number",
		`{"prefix":"Bad_","sweepMinutes":"15"}`:                                       "sweepMinutes: use a whole number of up to nine digits instead of this string",
		`{"prefix":"Bad_","trailLogs":{"retentionDays":99999999999}}`:                 "trailLogs.retentionDays: use a whole number of up to nine digits instead of this number 99999999999",
		`{"prefix":"Bad_","controls":{"root-usage":{"periodSeconds":60.5}}}`:          "periodSeconds: use a whole number of up to nine digits instead of this number 60.5",
		`{"prefix":"Bad_","controls":{"root-usage":{"threshold":"1"}}}`:               "threshold: use a number instead of this string",
		`{"prefix":"Bad_","regions":"eu-west-1"}`:                                     "regions: use a list in [ ] instead of this string",
		`{"prefix":"Bad_","tags":["team"]}`:                                           "tags: use an object in { } instead of this array",
		`{"prefix":"Bad_","trail":{"create":"yes"}}`:                                  "trail.create: use true or false instead of this string",
		`{"prefix":"Bad_","subscribers":[{"protocol":"email","endpoint":["a@b.c"]}]}`: "subscribers[0].endpoint: use text in double quotes instead of this array",
	} {
		_, err := config.Parse([]byte(raw))
		for _, want := range []string{want, `prefix "Bad_"`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Parse(%s) = %v, want it to say %s", raw, err, want)
			}
		}
	}
}

// Text that is no JSON, and JSON that encoding/json reads in its own way, is refused in
// words of the configuration.
func TestNotAConfiguration(t *testing.T) {
	for raw, want := range map[string]string{
		`[]`:                                    "not a configuration: use an object in { } instead of this array",
		`"x"`:                                   "instead of this string",
		`5`:                                     "instead of this number 5",
		`true`:                                  "instead of this true or false",
		`{`:                                     "the text ends before its JSON does",
		`{"prefix":"acme`:                       "the text ends before its JSON does",
		"{\n  \"prefix\": \"acme\",\n}":         `line 3, column 1: JSON has no '}' there`,
		"{ // acme\n}":                          `line 1, column 3: JSON has no '/' there`,
		`{"prefix":"acme"} {}`:                  `line 1, column 19: JSON has no '{' there`,
		`{"tags":{"größe":"x"},}`:               `line 1, column 23: JSON has no '}' there`,
		`{'prefix':"acme"}`:                     `line 1, column 2: JSON has no '\'' there`,
		`{"prefix":"acme","prefix":"watch"}`:    "prefix is there twice: remove one",
		`{"tags":{"a":"b","a":"b"}}`:            "tags.a is there twice",
		`{"addControls":[{"id":"x","id":"y"}]}`: "addControls[0].id is there twice",
		`{"Prefix":"acme"}`:                     `unknown key "Prefix": did you mean "prefix"?`,
		`{"regions":[null]}`:                    "regions[0]: use text in double quotes instead of null",
		`{"subscribers":["a@example.com",{"protocol":"fax","endpoint":"x"}]}`: `subscribers[1].protocol "fax"`,
	} {
		_, err := config.Parse([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s) = %v, want it to say %s", raw, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "json: ") {
			t.Errorf("Parse(%s) says it in the words of Go: %v", raw, err)
		}
	}
	if c, err := config.Parse([]byte("\ufeff{\"prefix\":\"acme\"}")); err != nil || c.Prefix != "acme" {
		t.Errorf("with a byte order mark: prefix %q, %v", c.Prefix, err)
	}
}

// Every problem of a configuration is in one message.
func TestRefused(t *testing.T) {
	_, err := config.Load("testdata/refused.json")
	if err == nil {
		t.Fatal("no error")
	}
	got := err.Error() + "\n"
	if *update {
		if err := os.WriteFile("testdata/refused.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/refused.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// CloudWatch Logs takes a pattern behind a blank for words, not for JSON.
func TestPatternIsTrimmed(t *testing.T) {
	c, err := config.Parse([]byte(`{"addControls":[{"id":"x","pattern":" \n{ $.a = b }\n"}]}`))
	if controls := c.Baseline().Controls; err != nil || controls[len(controls)-1].Pattern != "{ $.a = b }" {
		t.Errorf("pattern %q, %v; want it without white space around it", controls[len(controls)-1].Pattern, err)
	}
}

func manyTags(n int) string {
	tags := map[string]string{}
	for i := range n {
		tags["key"+strconv.Itoa(i)] = "x"
	}
	raw, _ := json.Marshal(tags) // strings always marshal
	return string(raw)
}

// Partitions share no accounts, so one configuration is for one of them.
func TestOnePartition(t *testing.T) {
	const aws, gov, euro = "eu-west-1", "us-gov-west-1", "eusc-de-east-1"
	for raw, good := range map[string]bool{
		`{"homeRegion":"` + gov + `","regions":["` + aws + `"]}`:                                                                          false,
		`{"homeRegion":"` + gov + `","regions":["us-gov-east-1"],"skipRegions":["` + euro + `"]}`:                                         false,
		`{"regions":["` + aws + `","cn-north-1"]}`:                                                                                        false,
		`{"homeRegion":"` + aws + `","kmsKeys":{"` + euro + `":"arn:aws-eusc:kms:` + euro + `:111122223333:key/a"}}`:                      false,
		`{"homeRegion":"` + gov + `","permissionsBoundary":"arn:aws:iam::111122223333:policy/x"}`:                                         false,
		`{"homeRegion":"` + gov + `","trail":{"name":"arn:aws:cloudtrail:us-gov-west-1:111122223333:trail/abc"}}`:                         false,
		`{"homeRegion":"` + gov + `","trail":{"roleArn":"arn:aws:iam::111122223333:role/abc"}}`:                                           false,
		`{"homeRegion":"` + gov + `","trail":{"keyArn":"arn:aws:kms:us-gov-west-1:111122223333:key/abc"}}`:                                false,
		`{"homeRegion":"` + gov + `","subscribers":[{"protocol":"sqs","endpoint":"arn:aws:sqs:eu-west-1:111122223333:a"}]}`:               false,
		`{"permissionsBoundary":"arn:aws-x:iam::111122223333:policy/x"}`:                                                                  false,
		`{"subscribers":[` + to("sqs", "arn:aws:sqs:us-gov-west-1:111122223333:a"):                                                        false, // an ARN of two partitions
		`{"subscribers":[` + to("sqs", "arn:aws:sqs:eu-wset-1:111122223333:a"):                                                            false,
		`{"subscribers":[` + to("lambda", "arn:aws:lambda:cn-north-1:111122223333:function:a"):                                            false,
		`{"trail":{"keyArn":"arn:aws:kms:us-gov-west-1:111122223333:key/a"}}`:                                                             false,
		`{"trail":{"name":"arn:aws:cloudtrail:cn-north-1:111122223333:trail/abc"}}`:                                                       false,
		`{"homeRegion":"us-iso-east-1","regions":["us-isob-east-1"]}`:                                                                     false,
		`{"homeRegion":"` + euro + `","regions":["eu-central-1"]}`:                                                                        false,
		`{"homeRegion":"` + gov + `","pause":{"by":["arn:aws:iam::111122223333:role/operator"]}}`:                                         false,
		`{"pause":{"by":["arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Ops_*","arn:aws:iam::111122223333:root"]}}`: true,
		`{"homeRegion":"xx-north-1"}`: false,
		`{"homeRegion":"` + gov + `","regions":["us-gov-east-1"],"permissionsBoundary":"arn:aws-us-gov:iam::111122223333:policy/x",
			"kmsKeys":{"us-gov-west-1":"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/a"}}`: true,
		`{"homeRegion":"` + euro + `"}`:                                                                          true,
		`{"homeRegion":"us-iso-east-1","regions":["us-iso-west-1"]}`:                                             true,
		`{"homeRegion":"` + gov + `","subscribers":[` + to("email", "arn@example.com"):                           true,
		`{"homeRegion":"cn-north-1","subscribers":[` + to("sqs", "arn:aws-cn:sqs:cn-northwest-1:111122223333:a"): true,
	} {
		if _, err := config.Parse([]byte(raw)); (err == nil) != good || !good && !strings.Contains(err.Error(), "use") && !strings.Contains(err.Error(), "deploy relight in each") {
			t.Errorf("Parse(%s) = %v, want it good: %t", raw, err, good)
		}
	}
	c, err := config.Parse([]byte(`{"regions":["` + aws + `"],"skipRegions":["eu-west-2"]}`))
	if err != nil {
		t.Fatal(err)
	}
	for home, good := range map[string]bool{"us-east-1": true, gov: false, "eu-west-2": false, "nowhere": false} {
		if err := c.CheckHome(home); (err == nil) != good {
			t.Errorf("CheckHome(%s) = %v, want it good: %t", home, err, good)
		}
	}
}

func TestControlsAreTuned(t *testing.T) {
	c, err := config.Parse([]byte(`{
		"controls": {"root-usage": {"disabled": true}, "iam-changes": {"threshold": 5, "periodSeconds": 60}},
		"addControls": [{"id": "mine", "pattern": "{ $.a = b }"}]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]catalog.Control{}
	for _, row := range c.Baseline().Controls {
		byID[row.ID] = row
	}
	if _, ok := byID["root-usage"]; ok || len(byID) != len(catalog.Controls()) {
		t.Errorf("%d controls, want root-usage gone and mine there", len(byID))
	}
	if got := byID["iam-changes"]; got.Threshold != 5 || got.Period != 60 {
		t.Errorf("iam-changes is %v per %d s, want 5 per 60 s", got.Threshold, got.Period)
	}
	if got := byID["mine"]; got.Threshold != 1 || got.Period != 300 {
		t.Errorf("mine is %v per %d s, want the defaults", got.Threshold, got.Period)
	}
}

// The functions can read the completed configuration that the stack writes.
func TestRoundTrip(t *testing.T) {
	c, err := config.Parse([]byte(`{"prefix":"acme","regions":["eu-central-1"],"flowLogs":{"rejectAlarm":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), catalog.ConfigFile)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	back, err := config.Load(path)
	if err != nil || back.FlowLogs.LogGroup != "acme-flow-logs" || back.FastRegions("eu-west-1")[1] != "eu-central-1" {
		t.Errorf("read back %+v, %v", back, err)
	}
}

func TestLoadTakesContextOfCDK(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cdk.json")
	if err := os.WriteFile(path, []byte(`{"app":"x","context":{"relight":{"prefix":"acme"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := config.Load(path); err != nil || c.Prefix != "acme" {
		t.Errorf("prefix %q, %v; want acme", c.Prefix, err)
	}
}

// A cdk.json with a key that looks like a misspelt configuration does not stand for the
// default one.
func TestContextOfCDK(t *testing.T) {
	for raw, want := range map[string]string{
		`{"context":{"relihgt":{}}}`:              `unknown key "context.relihgt": did you mean "context.relight"?`,
		`{"context":{"Relight":{}}}`:              `unknown key "context.Relight"`,
		`{"context":[]}`:                          "context: use an object in { } instead of this array",
		`{"context":{"relight":[]}}`:              "not a configuration: use an object in { } instead of this array",
		`{"context":{"relight":{}},"context":{}}`: "context is there twice",
		`{"context":{"relight":{},"relight":{}}}`: "context.relight is there twice",
		`{"context":{"relight":{"prefix":"acme","prefix":"acme","sweepMinutes":1}}}`: "prefix is there twice: remove one\nsweepMinutes 1",
		`{"app":"x","context":{"@aws-cdk/core:target-partitions":["aws"]}}`:          "",
	} {
		path := filepath.Join(t.TempDir(), "cdk.json")
		if err := os.WriteFile(path, []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(path); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Load(%s) = %v, want it to say %q", raw, err, want)
		}
	}
}

func TestDeploymentFromEnv(t *testing.T) {
	_, err := config.DeploymentFromEnv(func(string) string { return "" })
	if err == nil || strings.Count(err.Error(), "is not set") != 12 {
		t.Errorf("%v, want all twelve variables named", err)
	}
}

func TestDeadLetters(t *testing.T) {
	got := config.DeadLetters("topics-dead-letters=relight-a-1 undelivered=relight-b=2")
	if len(got) != 2 || got["topics-dead-letters"] != "relight-a-1" || got["undelivered"] != "relight-b=2" {
		t.Errorf("%v", got)
	}
}
