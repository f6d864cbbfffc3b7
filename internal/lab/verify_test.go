package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

type object = map[string]any

// protected returns an account in which nothing is broken, by AWS CLI command.
func protected() object {
	var filters, alarms []object
	for _, c := range catalog.Controls() {
		filters = append(filters, object{
			"filterName": c.ID, "filterPattern": c.Pattern,
			"metricTransformations": []object{{"metricName": c.ID, "metricNamespace": "relight", "metricValue": "1"}},
		})
		alarms = append(alarms, object{
			"AlarmName": c.ID, "Namespace": "relight", "MetricName": c.ID, "Statistic": "Maximum", "Dimensions": []object{},
			"Threshold": 1, "Period": 300, "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "TreatMissingData": "notBreaching",
			"ComparisonOperator": "GreaterThanOrEqualToThreshold", "ActionsEnabled": true,
			"AlarmActions": []string{"arn:aws:sns:us-east-1:111122223333:relight"},
		})
	}
	return object{
		"describe-trails": object{"trailList": []object{{
			"Name": "trail", "TrailARN": "arn:aws:cloudtrail:us-east-1:111122223333:trail/trail", "IsMultiRegionTrail": true,
			"CloudWatchLogsLogGroupArn":  "arn:aws:logs:us-east-1:111122223333:log-group:trail:*",
			"IncludeGlobalServiceEvents": true, "LogFileValidationEnabled": true,
		}}},
		"get-event-selectors":         object{"EventSelectors": []object{{"IncludeManagementEvents": true, "ReadWriteType": "All"}}},
		"get-trail-status":            object{"IsLogging": true},
		"describe-log-groups":         object{"logGroups": []object{{"logGroupName": "trail", "retentionInDays": 365}, {"logGroupName": "flow-logs"}}},
		"describe-metric-filters":     object{"metricFilters": filters},
		"describe-alarms":             object{"MetricAlarms": alarms},
		"list-subscriptions-by-topic": object{"Subscriptions": []object{{"SubscriptionArn": "arn:aws:sns:us-east-1:111122223333:relight:1", "Endpoint": "oncall@example.com"}}},
		"get-topic-attributes": object{"Attributes": object{"Policy": `{"Statement":[` +
			`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sns:Publish","Condition":{"Bool":{"aws:SecureTransport":"false"}}},` +
			`{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish"}]}`}},
		"get-subscription-attributes": object{"Attributes": object{}},
		"describe-vpcs":               object{"Vpcs": []object{{"VpcId": "vpc-1"}}},
		"describe-flow-logs": object{"FlowLogs": []object{{
			"ResourceId": "vpc-1", "FlowLogStatus": "ACTIVE", "TrafficType": "REJECT", "LogGroupName": "flow-logs", "DeliverLogsStatus": "SUCCESS",
		}, {
			"ResourceId": "subnet-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ALL", "LogDestination": toFlowLogBucket, "DeliverLogsStatus": "SUCCESS",
		}, {
			"ResourceId": "eni-1", "FlowLogStatus": "ACTIVE", "TrafficType": "REJECT", "DeliverLogsStatus": "SUCCESS",
			"LogDestination": "arn:aws:firehose:us-east-1:111122223333:deliverystream/flow-logs",
		}}},
		"describe-subnets":              object{"Subnets": []object{{"SubnetId": "subnet-1"}}},
		"describe-network-interfaces":   object{"NetworkInterfaces": []object{{"NetworkInterfaceId": "eni-1"}}},
		"get-bucket-policy":             object{"Policy": FlowLogBucketPolicy(FlowLogBucket)},
		"list-tags-for-delivery-stream": object{"Tags": []object{{"Key": "LogDeliveryEnabled", "Value": "true"}}},
	}
}

// TestVerify breaks a healthy account link by link, and verify.py names each
// broken link.
func TestVerify(t *testing.T) {
	rows := func(account object, command, list string) []object { return account[command].(object)[list].([]object) }
	filter := func(change object) func(object) {
		return func(a object) { overlay(rows(a, "describe-metric-filters", "metricFilters")[3], change) }
	}
	metric := func(change object) func(object) {
		return func(a object) {
			overlay(rows(a, "describe-metric-filters", "metricFilters")[3]["metricTransformations"].([]object)[0], change)
		}
	}
	alarm := func(change object) func(object) {
		return func(a object) { overlay(rows(a, "describe-alarms", "MetricAlarms")[3], change) }
	}
	group := func(i int, change object) func(object) {
		return func(a object) { overlay(rows(a, "describe-log-groups", "logGroups")[i], change) }
	}
	flowLogOf := func(i int, change object) func(object) {
		return func(a object) { overlay(rows(a, "describe-flow-logs", "FlowLogs")[i], change) }
	}
	flowLog := func(change object) func(object) { return flowLogOf(0, change) }
	trail := func(change object) func(object) {
		return func(a object) { overlay(rows(a, "describe-trails", "trailList")[0], change) }
	}
	selectors := func(selector object) object { return object{"EventSelectors": []object{selector}} }
	answer := func(command string, with any) func(object) { return func(a object) { a[command] = with } }

	all := len(catalog.Controls())
	control := "control " + catalog.Controls()[3].ID + ": broken at its "
	tests := []struct {
		name   string
		change func(object)
		want   string // the first line
		lines  int
	}{
		{"nothing", func(object) {}, fmt.Sprintf("%d controls and every VPC are healthy", all), 1},
		{"no trail", answer("describe-trails", object{"trailList": []object{}}), "trail: no multi-region trail", 1},
		{"trail stopped", answer("get-trail-status", object{"IsLogging": false}), "trail trail: it is not logging", 1},
		{"trail of one region", trail(object{"IsMultiRegionTrail": false}), "trail: no multi-region trail", 1},
		{"trail without a group", trail(object{"CloudWatchLogsLogGroupArn": nil}), "trail: no multi-region trail", 1},
		{"trail not validated", trail(object{"LogFileValidationEnabled": false}), "trail trail: LogFileValidationEnabled is off", 1},
		{"trail without IAM", trail(object{"IncludeGlobalServiceEvents": false}), "trail trail: IncludeGlobalServiceEvents is off", 1},
		{"trail's bucket shut", answer("get-trail-status", object{"IsLogging": true, "LatestDeliveryError": "AccessDenied"}), "LatestDeliveryError AccessDenied", 1},
		{"trail reads only", answer("get-event-selectors", selectors(object{"IncludeManagementEvents": true, "ReadWriteType": "ReadOnly"})), "trail trail: it does not record all management events", 1},
		{"trail without KMS", answer("get-event-selectors", selectors(object{
			"IncludeManagementEvents": true, "ReadWriteType": "All", "ExcludeManagementEventSources": []string{"kms.amazonaws.com"},
		})), "trail trail: it does not record all management events", 1},
		{"trail's group gone", group(0, object{"logGroupName": "other"}), "log group trail: it does not exist", 1},
		{"trail's group short", group(0, object{"retentionInDays": 90}), "log group trail: its retention is only 90 days", 1},
		{"filter gone", filter(object{"filterPattern": ""}), control + "filter", 1},
		{"filter selects", filter(object{"fieldSelectionCriteria": "@aws.region = x"}), control + "filter", 1},
		{"filter transforms", filter(object{"applyOnTransformedLogs": true}), control + "filter", 1},
		{"filter splits", filter(object{"emitSystemFieldDimensions": []string{"@aws.region"}}), control + "filter", 1},
		{"filter counts nothing", metric(object{"metricValue": "0"}), control + "filter", 1},
		{"filter has dimensions", metric(object{"dimensions": object{"user": "$.user"}}), control + "filter", 1},
		{"filter counts always", metric(object{"defaultValue": 5}), control + "filter", 1},
		{"alarm gone", alarm(object{"MetricName": "other"}), control + "alarm", 1},
		{"alarm muted", alarm(object{"ActionsEnabled": false}), control + "alarm", 1},
		{"alarm too high", alarm(object{"Threshold": 1000}), control + "alarm", 1},
		{"alarm always on", alarm(object{"Threshold": 0}), control + "alarm", 1},
		{"alarm too slow", alarm(object{"EvaluationPeriods": 100, "DatapointsToAlarm": 100}), control + "alarm", 1},
		{"alarm keeps its state", alarm(object{"TreatMissingData": "ignore"}), control + "alarm", 1},
		{"alarm in another unit", alarm(object{"Unit": "Bytes"}), control + "alarm", 1},
		{"alarm with a dimension", alarm(object{"Dimensions": []object{{"Name": "a", "Value": "b"}}}), control + "alarm", 1},
		{"alarm notifies nobody", alarm(object{"AlarmActions": []string{}}), control + "topic", 1},
		{"topic gone", answer("list-subscriptions-by-topic", "NotFound"), "broken at its topic", all},
		{"topic closed to its owner", answer("list-subscriptions-by-topic", "AuthorizationError"), "broken at its topic", all},
		{"not confirmed", answer("list-subscriptions-by-topic", object{"Subscriptions": []object{{"SubscriptionArn": "PendingConfirmation"}}}), "broken at its subscriber", all},
		{"somebody else's", answer("list-subscriptions-by-topic", object{"Subscriptions": []object{
			{"SubscriptionArn": "arn:aws:sns:us-east-1:111122223333:relight:2", "Endpoint": "someone@example.com"},
		}}), "broken at its subscriber", all},
		{"topic's policy closed to its owner", answer("get-topic-attributes", "AuthorizationError"), "broken at its topic's policy", all},
		{"topic shut", answer("get-topic-attributes", object{"Attributes": object{"Policy": `{"Statement":[]}`}}), "broken at its topic's policy", all},
		{"topic denied", answer("get-topic-attributes", object{"Attributes": object{"Policy": `{"Statement":[` +
			`{"Effect":"Deny","Principal":"*","Action":["sns:Publish"]},` +
			`{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish"}]}`}}), "broken at its topic's policy", all},
		{"filtered", answer("get-subscription-attributes", object{"Attributes": object{"FilterPolicy": `{"a":["b"]}`}}), "broken at its subscriber's filter policy", all},
		{"flow log gone", flowLog(object{"ResourceId": "vpc-2"}), "VPC vpc-1 in us-east-1: no flow log records rejected traffic", 1},
		{"flow logs gone", answer("describe-flow-logs", object{"FlowLogs": []object{}}), "VPC vpc-1 in us-east-1: no flow log records rejected traffic", 3},
		{"subnet's flow log gone", flowLogOf(1, object{"ResourceId": "subnet-2"}), "subnet subnet-1 in us-east-1: no flow log records ALL to " + toFlowLogBucket, 1},
		{"subnet's flow log too narrow", flowLogOf(1, object{"TrafficType": "REJECT"}), "subnet subnet-1 in us-east-1: no flow log records ALL", 1},
		{"subnet's flow log elsewhere", flowLogOf(1, object{"LogDestination": "arn:aws:s3:::elsewhere"}), "subnet subnet-1 in us-east-1: no flow log records ALL", 1},
		{"interface's flow log fails", flowLogOf(2, object{"DeliverLogsStatus": "FAILED"}), "network interface eni-1 in us-east-1: no flow log records REJECT to arn:aws:firehose:us-east-1:", 1},
		{"bucket gone", answer("get-bucket-policy", "NoSuchBucket"), "bucket " + FlowLogBucket + ": it does not exist, or its policy does not admit flow logs", 1},
		{"bucket shut", answer("get-bucket-policy", object{"Policy": *TrailBucketPolicy(FlowLogBucket)}), "bucket " + FlowLogBucket + ": it does not exist, or its policy", 1},
		{"stream gone", answer("list-tags-for-delivery-stream", "ResourceNotFoundException"), "deliverystream/flow-logs: it does not exist, or AWS may not write", 1},
		{"stream untagged", answer("list-tags-for-delivery-stream", object{"Tags": []object{}}), "deliverystream/flow-logs: it does not exist, or AWS may not write", 1},
		{"flow log too narrow", flowLog(object{"TrafficType": "ACCEPT"}), "VPC vpc-1 in us-east-1: no flow log records rejected traffic", 1},
		{"flow log fails", flowLog(object{"DeliverLogsStatus": "FAILED"}), "VPC vpc-1 in us-east-1: no flow log records rejected traffic", 1},
		{"flow log's group gone", flowLog(object{"LogGroupName": "other"}), "the log group other does not exist", 1},
		{"flow log's group short", group(1, object{"retentionInDays": 1}), "the retention of the log group flow-logs is only 1 days", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			account := protected()
			tt.change(account)
			code, out := verify(t, account)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if wantCode := map[bool]int{true: 0, false: 1}[tt.name == "nothing"]; code != wantCode || len(lines) != tt.lines || !strings.Contains(lines[0], tt.want) {
				t.Errorf("status %d, want %d; %q, want %d lines with %q", code, wantCode, lines, tt.lines, tt.want)
			}
		})
	}
	t.Run("unread is not empty", func(t *testing.T) {
		account := protected()
		account["describe-alarms"] = "AccessDenied"
		if code, out := verify(t, account); code != 1 || out != "" {
			t.Errorf("status %d and %q, want 1 and nothing found", code, out)
		}
	})
}

func overlay(m, change object) {
	for k, v := range change {
		m[k] = v
	}
}

// verify runs verify.py against an account and returns its exit status and its
// output.
func verify(t *testing.T, account object) (status int, out string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cli, err := filepath.Abs(filepath.Join("testdata", "aws"))
	if err != nil {
		t.Fatal(err)
	}
	controls, err := controlList()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "python3", "verify.py", write("controls.json", json.RawMessage(controls)), "us-east-1")
	cmd.Env = append(os.Environ(), "AWS_CLI="+cli, "SUBSCRIBERS=oncall@example.com", "CHOSEN="+chosenNetworks(), "ANSWERS="+write("answers.json", account))
	raw, err := cmd.Output()
	exit := new(exec.ExitError)
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(raw)
}
