package lab

import "testing"

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
