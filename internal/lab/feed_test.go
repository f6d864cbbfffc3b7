package lab

import (
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/lab/tap"
)

// A line names the target of its call.
func TestTargetOf(t *testing.T) {
	tests := []struct {
		params map[string]any
		want   string
	}{
		{map[string]any{"logGroupName": "g", "filterName": "f"}, "f"},
		{map[string]any{"alarmNames": []any{"a", "b", "c"}}, "a and 2 more"},
		{map[string]any{"DeleteFlowLogsRequest": map[string]any{"FlowLogId": map[string]any{"content": "fl-1", "tag": 1}}}, "fl-1"},
		{map[string]any{"bucketName": "b", "Host": "h", "policy": "", "bucketPolicy": map[string]any{}}, "b"},
		{map[string]any{"roleName": "r", "policyArn": "p"}, "r"},
		{map[string]any{"regionName": "af-south-1"}, "af-south-1"},
		{map[string]any{"unheard": "of"}, ""},
		{nil, ""},
	}
	for _, tt := range tests {
		if got := targetOf(tt.params); got != tt.want {
			t.Errorf("target of %v is %q, want %q", tt.params, got, tt.want)
		}
	}
}

// A call that AWS refused restored nothing, and neither did one whose
// successful reply has only failures.
func TestLineOf(t *testing.T) {
	at := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	deployed := &Deployment{Functions: map[string]Function{"role": {Name: "relight-flowlogs"}}, spokes: map[string]bool{"spoke": true}}
	tests := []struct {
		call tap.Call
		want Line
	}{
		{tap.Call{Role: "role", Took: time.Second}, Line{Kind: "restored", Who: "relight-flowlogs", What: "ec2 CreateFlowLogs", Millis: 3000}},
		{
			tap.Call{Role: "spoke", Principal: "arn:aws:sts::222233334444:assumed-role/relight-spoke/relight-flowlogs", Account: "222233334444", Took: time.Second},
			Line{Kind: "restored", Who: "relight-flowlogs", What: "ec2 CreateFlowLogs", Millis: 3000, Account: "222233334444"},
		},
		{
			tap.Call{Role: "spoke", Principal: "arn:aws:sts::222233334444:assumed-role/relight-spoke/eve", Account: "222233334444"},
			Line{Kind: "attack", Who: "assumed-role/relight-spoke/eve", What: "ec2 CreateFlowLogs", Account: "222233334444"},
		},
		{tap.Call{Role: "role", Undone: "FlowLogAlreadyExists"}, Line{Kind: "refused", What: "ec2 CreateFlowLogs FlowLogAlreadyExists"}},
		{tap.Call{Role: "role", ErrorCode: "Client.UnauthorizedOperation"}, Line{Kind: "refused", What: "ec2 CreateFlowLogs Client.UnauthorizedOperation"}},
		{tap.Call{Principal: "arn:aws:iam::000000000000:user/eve"}, Line{Kind: "attack", Who: "user/eve", What: "ec2 CreateFlowLogs"}},
		{tap.Call{Principal: "arn:aws:iam::000000000000:user/eve", Undone: "400"}, Line{Kind: "refused", Who: "user/eve", What: "ec2 CreateFlowLogs 400"}},
	}
	for _, tt := range tests {
		c := tt.call
		c.Time, c.Service, c.Operation = at, "ec2", "CreateFlowLogs"
		tt.want.Time = at
		if got := lineOf(c, deployed, at.Add(-2*time.Second)); got != tt.want {
			t.Errorf("line of %+v is %+v, want %+v", tt.call, got, tt.want)
		}
	}
}
