package plan_test

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/plan"
)

// The first cause counts, and says who mends it.
func TestWhyOwnDeliveryFails(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:111122223333:key/1"
	tests := map[string]struct {
		harm func(*plan.FlowLog, *plan.FlowLogState)
		want string
	}{
		"another role": {
			func(fl *plan.FlowLog, s *plan.FlowLogState) {
				fl.Role, s.Role = "arn:aws:iam::111122223333:role/old", nil
			},
			"[flowlog-role-foreign] flow log fl-9 of vpc-1: its delivery is FAILED (Access error): it delivers with arn:aws:iam::111122223333:role/old, which is not this deployment's role. Delete it",
		},
		"role missing": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) {
				s.Role = &plan.DeliveryRoleState{}
				s.LogGroups = nil
			},
			"its role relight-delivery does not exist. The function relight-deliveryroles restores the role",
		},
		"a role of that name": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) {
				s.Role = &plan.DeliveryRoleState{Exists: true, ARN: "arn:aws:iam::111122223333:role/x/relight-delivery"}
			},
			"its role arn:aws:iam::111122223333:role/relight-delivery does not exist, and arn:aws:iam::111122223333:role/x/relight-delivery has its name. Find out who created",
		},
		"trust": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) { s.Role.Trust = "{}" },
			"its role relight-delivery has a changed trust policy. The function",
		},
		"policy missing": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) { s.Role.Inline = nil },
			"its role relight-delivery lacks the policy deliver. The function",
		},
		"policy changed": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) { s.Role.Inline["deliver"] = denyAll },
			"the policy deliver of its role relight-delivery was changed",
		},
		"boundary": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) { s.Role.Boundary = "arn:b" },
			"has the permissions boundary arn:b, not none",
		},
		"denied": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) { s.Role.Attached["arn:p"] = denyAll },
			"the policy arn:p of its role: it denies logs:CreateLogStream",
		},
		"denied on a condition": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) { s.Role.Attached["arn:p"] = denyPerhaps },
			"FAILED (Access error), perhaps because of policy arn:p of its role: it denies logs:CreateLogStream on a condition. Find out who",
		},
		"denied on a condition, beside a cause": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) {
				s.Role.Attached["arn:p"], s.LogGroups = denyPerhaps, nil
			},
			"its log group relight-flow-logs does not exist. Do nothing: relight creates the log group",
		},
		"older sessions revoked": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) { s.Role.Inline["AWSRevokeOlderSessions"] = revoked },
			"FAILED (Access error). Check, in this order",
		},
		"log group missing": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) { s.LogGroups = nil },
			"its log group relight-flow-logs does not exist. Do nothing: relight creates the log group",
		},
		"key": {
			func(_ *plan.FlowLog, s *plan.FlowLogState) {
				s.LogGroups["relight-flow-logs"] = plan.LogGroup{Name: "relight-flow-logs", KMSKey: key}
				s.Keys = map[string]string{key: "is disabled"}
			},
			"the key of its log group, " + key + ", is disabled. Make the key usable again",
		},
		"unknown":     {func(*plan.FlowLog, *plan.FlowLogState) {}, "FAILED (Access error). Check, in this order"},
		"role unread": {func(_ *plan.FlowLog, s *plan.FlowLogState) { s.Role = nil }, "FAILED (Access error). Check, in this order"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			fl := with(ours, func(fl *plan.FlowLog) { fl.Delivery, fl.DeliveryError, fl.Role = "FAILED", "Access error", role })
			got := flowLogs(want, vpcWith(fl))
			got.State.(*plan.FlowLogState).LogGroups = map[string]plan.LogGroup{"relight-flow-logs": {Name: "relight-flow-logs"}}
			got.State.(*plan.FlowLogState).Role = soundRole(want)
			tt.harm(&got.State.(*plan.FlowLogState).Networks[0].FlowLogs[0], got.State.(*plan.FlowLogState))
			p := of(t, want, got)
			if len(p.Findings) != 1 || !strings.Contains(p.Findings[0].String(), tt.want) {
				t.Errorf("findings %v, want %s", p.Findings, tt.want)
			}
		})
	}
}
