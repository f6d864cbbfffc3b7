package tap

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// An Event is an EventBridge event as a target receives it.
type Event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       time.Time       `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`

	// Bus is the name of a bus other than the default one.
	Bus string `json:"bus,omitempty"`
}

// maxElement is the size in bytes above which CloudTrail leaves an element out
// of a record. Source: "CloudTrail record contents", requestParameters:
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
const maxElement = 100 << 10

// apiCall returns the event of one recorded call.
//
// The tap makes the event whether or not a trail logs. On AWS, events stop when
// the last trail stops logging (the event of StopLogging itself still arrives).
// AWS does not document which events arrive in between, or with a trail that
// excludes management events, so the tap does not imitate that.
func apiCall(q *request, rep reply) Event {
	at := q.at.UTC().Truncate(time.Second)
	record := map[string]any{
		"eventVersion":       "1.11",
		"userIdentity":       q.id.userIdentity(q.accessKey),
		"eventTime":          at.Format(time.RFC3339),
		"eventSource":        q.service + ".amazonaws.com",
		"eventName":          q.operation,
		"awsRegion":          q.eventRegion(),
		"sourceIPAddress":    q.sourceIP,
		"userAgent":          q.userAgent,
		"requestParameters":  limited("requestParameters", requestParameters(q)),
		"responseElements":   limited("responseElements", rep.elements),
		"requestID":          rep.requestID,
		"eventID":            newID(),
		"readOnly":           false,
		"eventType":          "AwsApiCall",
		"managementEvent":    true,
		"recipientAccountId": q.id.AccountID,
		"eventCategory":      "Management",
	}
	if rep.code != "" {
		record["errorCode"], record["errorMessage"] = rep.code, rep.message
		if rep.denied() && maskedWhenDenied[q.service] {
			record["requestParameters"] = nil
		}
	}
	return Event{
		Version:    "0",
		ID:         newID(),
		DetailType: "AWS API Call via CloudTrail",
		Source:     "aws." + q.service,
		Account:    q.id.AccountID,
		Time:       at,
		Region:     q.eventRegion(),
		Resources:  []string{},
		Detail:     marshal(record),
	}
}

// requestParameters returns the element of that name, or nil for a call without
// parameters.
func requestParameters(q *request) map[string]any {
	var out map[string]any
	switch {
	case q.service == "ec2":
		out = ec2Request(q.operation, q.params)
	case q.proto == restXML:
		out = maps.Clone(q.params)
	case q.proto == queryForm:
		out, _ = queryRequest("", q.params).(map[string]any)
	default:
		out, _ = camel(q.params).(map[string]any)
	}
	if len(out) == 0 {
		return nil
	}
	out, _ = withoutSecrets(out).(map[string]any)
	return out
}

// limited returns the element, or a note that replaces it if it is too large.
func limited(name string, element map[string]any) any {
	if element == nil {
		return nil
	}
	if len(marshal(element)) > maxElement {
		return map[string]any{"reason": name + " too large", "omitted": true}
	}
	return element
}

func marshal(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings, numbers and similar values always marshal
	}
	return raw
}

// newID returns a random UUID (version 4).
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // crypto/rand documents that it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
