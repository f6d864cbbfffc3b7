package bench

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

// An event is one EventBridge event.
type event struct {
	source, detailType, name string // name is CloudTrail's eventName
	body                     string
}

// services are the names of services in their events' sources, by their ID in the SDK.
var services = map[string]string{
	"CloudTrail": "cloudtrail", "CloudWatch": "monitoring", "CloudWatch Logs": "logs", "EC2": "ec2", "SNS": "sns", "SSM": "ssm",
}

// eventsOf returns the events of a successful call: none for one that only reads. Of a
// call that changes alarms, CloudWatch itself sends one for each. Sources: CloudTrail
// User Guide, "CloudTrail record contents"; Amazon CloudWatch User Guide, "Alarm events
// and EventBridge".
func eventsOf(account string, c awstest.Call, newID func() string) []event {
	service := services[c.Service]
	for _, verb := range []string{"Describe", "Get", "List", "Lookup", "Publish"} {
		if strings.HasPrefix(c.Op, verb) {
			return nil
		}
	}
	if service == "" {
		return nil
	}
	now := time.Now().UTC()
	all := []event{envelope(event{source: "aws." + service, detailType: catalog.APICall, name: c.Op}, account, c.Region, newID(), now, map[string]any{
		"eventVersion": "1.10", "eventTime": now.Format(time.RFC3339), "eventSource": service + ".amazonaws.com", "eventName": c.Op, "awsRegion": c.Region,
		"sourceIPAddress": "192.0.2.10", "userIdentity": identity(account, c.Caller), "requestParameters": parameters(c.In), "responseElements": parameters(c.Out),
		"readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": account, "eventCategory": "Management",
	})}
	operation := map[string]string{"DeleteAlarms": "delete", "DisableAlarmActions": "update", "EnableAlarmActions": "update", "PutMetricAlarm": "update"}[c.Op]
	for _, w := range c.Writes {
		for name := range strings.SplitSeq(w.Target, ",") {
			if operation == "" {
				continue
			}
			all = append(all, envelope(event{source: "aws.cloudwatch", detailType: catalog.AlarmChange}, account, c.Region, newID(), now, map[string]any{
				"alarmName": name, "operation": operation, "configuration": map[string]any{"alarmName": name},
			}))
		}
	}
	return all
}

// envelope adds the body of an event. Times have no fractions of a second, as in AWS's.
func envelope(e event, account, region, id string, at time.Time, detail any) event {
	raw, err := json.Marshal(map[string]any{
		"version": "0", "id": id, "detail-type": e.detailType, "source": e.source,
		"account": account, "time": at.Format(time.RFC3339), "region": region, "resources": []string{}, "detail": detail,
	})
	if err != nil {
		panic(fmt.Sprintf("bench: %v", err)) // the SDK's types marshal
	}
	e.body = string(raw)
	return e
}

// identity returns a record's userIdentity for a caller. Source: CloudTrail User Guide,
// "CloudTrail userIdentity element".
func identity(account, caller string) map[string]any {
	id := map[string]any{"type": "IAMUser", "arn": caller, "accountId": account}
	switch before, session, assumed := strings.Cut(caller, ":assumed-role/"); {
	case assumed:
		role, _, _ := strings.Cut(session, "/")
		id["type"] = "AssumedRole"
		id["sessionContext"] = map[string]any{"sessionIssuer": map[string]any{"type": "Role", "arn": strings.Replace(before, ":sts:", ":iam:", 1) + ":role/" + role}}
	case strings.HasSuffix(caller, ":root"):
		id["type"] = "Root"
	}
	return id
}

// parameters returns an input or output as CloudTrail writes it: its members begin with
// a small letter, and those without a value are left out.
func parameters(of any) any {
	raw, err := json.Marshal(of)
	if err != nil {
		return nil
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return lowered(v)
}

func lowered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, member := range v {
			if member == nil || k == "ResultMetadata" {
				continue
			}
			first := []rune(k)
			first[0] = unicode.ToLower(first[0])
			out[string(first)] = lowered(member)
		}
		return out
	case []any:
		for i := range v {
			v[i] = lowered(v[i])
		}
	}
	return v
}
