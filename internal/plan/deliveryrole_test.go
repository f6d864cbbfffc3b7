package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

const (
	denyAll     = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"logs:*","Resource":"*"}]}`
	denyPerhaps = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"logs:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}`
	revoked     = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02T03:04:05.678Z"}}}]}`
	allowAll    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}`
)

// now is later than revoked.
const now = "2026-01-02T03:04:06"

// soundRole returns a delivery role as wanted.
func soundRole(want catalog.Desired) *plan.DeliveryRoleState {
	r := plan.DeliveryRoleOf(want)
	return &plan.DeliveryRoleState{
		Exists: true, ARN: r.ARN, Trust: r.Trust, Boundary: r.Boundary, Bounds: allowAll, Tags: map[string]string{catalog.OwnerTag: "relight"},
		Inline: map[string]string{catalog.DeliveryPolicy: r.Policy}, Attached: map[string]string{}, At: now,
	}
}

func TestDeliveryRoles(t *testing.T) {
	const boundary = "arn:aws:iam::111122223333:policy/bounds"
	const takeOff = "Find out who added the policy and why, and remove it from the role unless it is intended: the role only delivers flow logs."
	put := "put policy deliver on role relight-delivery ("
	tests := map[string]struct {
		boundary string // configured
		change   func(*plan.DeliveryRoleState)
		actions  []string
		findings []string
	}{
		"sound": {change: func(*plan.DeliveryRoleState) {}},
		"missing": {change: func(s *plan.DeliveryRoleState) { *s = plan.DeliveryRoleState{} }, actions: []string{
			"create role relight-delivery (it does not exist, so flow logs cannot deliver)", put + "the role is new)",
		}},
		"a role of that name": {
			change: func(s *plan.DeliveryRoleState) {
				*s = plan.DeliveryRoleState{Exists: true, ARN: "arn:aws:iam::111122223333:role/x/relight-delivery"}
			},
			findings: []string{"[delivery-role-elsewhere] role arn:aws:iam::111122223333:role/relight-delivery: it does not exist, and relight cannot create it again, " +
				"because arn:aws:iam::111122223333:role/x/relight-delivery has its name: relight's flow logs do not deliver. " +
				"Find out who created arn:aws:iam::111122223333:role/x/relight-delivery, and delete it: aws iam delete-role --role-name relight-delivery, after its policies. " +
				"The event of that call, or else the next sweep, restores arn:aws:iam::111122223333:role/relight-delivery."},
		},
		"trust": {
			change:  func(s *plan.DeliveryRoleState) { s.Trust = strings.Replace(s.Trust, "vpc-flow-logs", "ec2", 1) },
			actions: []string{"set trust policy of role relight-delivery (its trust policy was changed)"},
		},
		"trust without its conditions": {
			change: func(s *plan.DeliveryRoleState) {
				s.Trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"vpc-flow-logs.amazonaws.com"}}}`
			},
			actions: []string{"set trust policy of role relight-delivery (its trust policy was changed)"},
		},
		"policy gone":    {change: func(s *plan.DeliveryRoleState) { s.Inline = nil }, actions: []string{put + "it is missing, so flow logs may not deliver)"}},
		"policy changed": {change: func(s *plan.DeliveryRoleState) { s.Inline["deliver"] = allowAll }, actions: []string{put + "it was changed)"}},
		"boundary": {
			change:  func(s *plan.DeliveryRoleState) { s.Boundary = boundary },
			actions: []string{"remove permissions boundary of role relight-delivery (no boundary is configured)"},
		},
		"boundary gone": {
			boundary: boundary, change: func(s *plan.DeliveryRoleState) { s.Boundary = "" },
			actions: []string{"set permissions boundary of role relight-delivery to " + boundary + " (its boundary is none)"},
		},
		"boundary as configured": {boundary: boundary, change: func(*plan.DeliveryRoleState) {}},
		"boundary denies": {
			boundary: boundary, change: func(s *plan.DeliveryRoleState) { s.Bounds = denyAll },
			findings: []string{"[delivery-boundary-denies] permissions boundary " + boundary + ": it keeps flow logs from delivering: it denies logs:CreateLogStream. Change it so that it allows what the policy deliver of role relight-delivery allows."},
		},
		"boundary allows too little": {
			boundary: boundary, change: func(s *plan.DeliveryRoleState) { s.Bounds = strings.ReplaceAll(allowAll, "logs:*", "logs:Put*") },
			findings: []string{"[delivery-boundary-denies] permissions boundary " + boundary + ": it keeps flow logs from delivering: it does not allow logs:CreateLogStream. Change it so that it allows what the policy deliver of role relight-delivery allows."},
		},
		"tag": {
			change:  func(s *plan.DeliveryRoleState) { s.Tags = map[string]string{"theirs": "x"} },
			actions: []string{"tag role relight-delivery (it lacks relight)"},
		},
		"further policies": {change: func(s *plan.DeliveryRoleState) {
			s.Inline["a"], s.Attached["arn:a"], s.Tags["theirs"] = allowAll, allowAll, "x"
		}},
		"further policies that deny": {
			change: func(s *plan.DeliveryRoleState) { s.Inline["a"], s.Attached["arn:a"] = denyAll, denyAll },
			actions: []string{
				"delete policy a of role relight-delivery (it denies logs:CreateLogStream)",
				"detach arn:a from role relight-delivery (it denies logs:CreateLogStream)",
			},
		},
		"further policies that deny on a condition": {
			change: func(s *plan.DeliveryRoleState) { s.Inline["a"], s.Attached["arn:a"] = denyPerhaps, denyPerhaps },
			findings: []string{
				"[delivery-policy-conditional] policy a of role relight-delivery: it may keep flow logs from delivering: it denies logs:CreateLogStream on a condition. " + takeOff,
				"[delivery-policy-conditional] policy arn:a of role relight-delivery: it may keep flow logs from delivering: it denies logs:CreateLogStream on a condition. " + takeOff,
			},
		},
		"one that denies on a condition and without": {
			change: func(s *plan.DeliveryRoleState) {
				s.Inline["a"] = strings.Replace(denyPerhaps, "[", "["+denyStatement+",", 1)
			},
			actions: []string{"delete policy a of role relight-delivery (it denies logs:CreateLogStream)"},
		},
		"older sessions revoked": {change: func(s *plan.DeliveryRoleState) { s.Inline["AWSRevokeOlderSessions"] = revoked }},
		"older sessions revoked, the time in a list": {change: func(s *plan.DeliveryRoleState) {
			s.Inline["a"] = strings.NewReplacer(`TokenIssueTime":"`, `TokenIssueTime":["`, `Z"}`, `Z"]}`).Replace(revoked)
		}},
		"sessions revoked to come": {
			change:   func(s *plan.DeliveryRoleState) { s.Inline["a"] = strings.Replace(revoked, "2026", "2099", 1) },
			findings: []string{"[delivery-policy-conditional] policy a of role relight-delivery: it may keep flow logs from delivering: it denies logs:CreateLogStream on a condition. " + takeOff},
		},
		"older sessions revoked and more": {
			change: func(s *plan.DeliveryRoleState) {
				s.Inline["a"] = strings.Replace(revoked, `"DateLessThan"`, `"StringLike":{"aws:x":"*"},"DateLessThan"`, 1)
			},
			findings: []string{"[delivery-policy-conditional] policy a of role relight-delivery: it may keep flow logs from delivering: it denies logs:CreateLogStream on a condition. " + takeOff},
		},
		"boundary denies on a condition": {
			boundary: boundary, change: func(s *plan.DeliveryRoleState) { s.Bounds = denyPerhaps },
			findings: []string{"[delivery-boundary-denies] permissions boundary " + boundary + ": it keeps flow logs from delivering: it denies logs:CreateLogStream on a condition. Change it so that it allows what the policy deliver of role relight-delivery allows."},
		},
		"a policy that cannot be read": {
			change:  func(s *plan.DeliveryRoleState) { s.Inline["a"] = `{"Statement":[{"Effect":7}]}` },
			actions: []string{"delete policy a of role relight-delivery (it cannot be read: json: cannot unmarshal number into Go struct field members.Effect of type string)"},
		},
		"large policies beside its own": {change: func(s *plan.DeliveryRoleState) { s.Inline["a"] = sized(9000) }},
		"its own gone, and room for it": {
			change:  func(s *plan.DeliveryRoleState) { s.Inline = map[string]string{"a": sized(9000)} },
			actions: []string{put + "it is missing, so flow logs may not deliver)"},
		},
		"its own gone, and no room for it": {
			change:  func(s *plan.DeliveryRoleState) { s.Inline = map[string]string{"a": sized(10200)} },
			actions: []string{put + "it is missing, so flow logs may not deliver; if IAM has no room for it, relight deletes a)"},
		},
		"its own emptied, and no room for it": {
			change:  func(s *plan.DeliveryRoleState) { s.Inline = map[string]string{"deliver": sized(90), "a": sized(10100)} },
			actions: []string{put + "it was changed; if IAM has no room for it, relight deletes a)"},
		},
		"many small ones leave no room": {
			change: func(s *plan.DeliveryRoleState) {
				s.Inline = map[string]string{"a": sized(3400), "b": sized(3300), "c": sized(3500)}
			},
			actions: []string{put + "it is missing, so flow logs may not deliver; if IAM has no room for it, relight deletes c)"},
		},
		"only white space leaves no room": {
			change: func(s *plan.DeliveryRoleState) {
				s.Inline = map[string]string{"a": strings.Replace(sized(9000), ",", ",\n"+strings.Repeat(" ", 5000), 1)}
			},
			actions: []string{put + "it is missing, so flow logs may not deliver)"},
		},
		"one that denies leaves no room, so another can stay": {
			change: func(s *plan.DeliveryRoleState) {
				s.Inline = map[string]string{"a": sized(6000), "b": strings.Replace(sized(4000), "Allow", "Deny", 1)}
			},
			actions: []string{put + "it is missing, so flow logs may not deliver; if IAM has no room for it, relight deletes b)", "delete policy b of role relight-delivery (it denies logs:CreateLogStream)"},
		},
		"one that denies on a condition leaves no room": {
			change: func(s *plan.DeliveryRoleState) {
				s.Inline = map[string]string{"a": strings.Replace(denyPerhaps, "eu-west-1", strings.Repeat("x", 10000), 1)}
			},
			actions:  []string{put + "it is missing, so flow logs may not deliver; if IAM has no room for it, relight deletes a)"},
			findings: []string{"[delivery-policy-conditional] policy a of role relight-delivery: it may keep flow logs from delivering: it denies logs:CreateLogStream on a condition. " + takeOff},
		},
		"managed policies take no room": {
			change: func(s *plan.DeliveryRoleState) {
				s.Inline = nil
				for i := range 10 {
					s.Attached[fmt.Sprint("arn:", i)] = sized(6144)
				}
			},
			actions: []string{put + "it is missing, so flow logs may not deliver)"},
		},
		"all at once, what denies last": {
			change: func(s *plan.DeliveryRoleState) {
				s.Trust, s.Boundary, s.Inline, s.Tags = denyAll, boundary, map[string]string{"a": denyAll}, nil
			},
			actions: []string{
				"remove permissions boundary of role relight-delivery (no boundary is configured)",
				put + "it is missing, so flow logs may not deliver)",
				"set trust policy of role relight-delivery (its trust policy was changed)",
				"tag role relight-delivery (it lacks relight)",
				"delete policy a of role relight-delivery (it denies logs:CreateLogStream)",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := policy(t)
			want.Boundary = tt.boundary
			state := soundRole(want)
			tt.change(state)
			p := of(t, want, plan.Observed{Account: account, Region: region, State: state})
			says(t, "actions", p.Actions, tt.actions...)
			says(t, "findings", p.Findings, tt.findings...)
			for _, f := range p.Findings {
				if !f.Alert {
					t.Errorf("%s does not alert", f)
				}
			}
			if held := len(tt.actions)+len(tt.findings) == 0; (p.Healthy == 1) != held {
				t.Errorf("holds %d, want it held: %t", p.Healthy, held)
			}
		})
	}
}

// sized returns a policy of so many characters that allows something.
func sized(n int) string {
	return strings.Replace(allowAll, `:*"`, ":"+strings.Repeat("*", n-len(allowAll)+1)+`"`, 1)
}

const denyStatement = `{"Effect":"Deny","Action":"*","Resource":"*"}`

// A denial counts if it may mean anything that delivery needs.
func TestDenies(t *testing.T) {
	const (
		group = "arn:aws:logs:*:111122223333:log-group:relight-flow-logs"
		put   = `"Action":"logs:PutLogEvents"`
	)
	tests := map[string]bool{
		`"Action":"*","Resource":"*"`:                                            true,
		`"Action":["s3:*","LOGS:put*"],"Resource":"*"`:                           true,
		`"Action":"logs:?utLogEvents","Resource":"*"`:                            true,
		`"Action":"logs:Delete*","Resource":"*"`:                                 false,
		`"NotAction":"s3:*","Resource":"*"`:                                      true,
		`"NotAction":"logs:*","Resource":"*"`:                                    false,
		put + `,"Resource":"` + group + `:*"`:                                    true,
		put + `,"Resource":"` + group + `:log-stream:eni-1"`:                     true,
		put + `,"Resource":"arn:aws:logs:eu-west-1:*:*"`:                         true,
		put + `,"Resource":"arn:aws:logs:*:*:log-group:relight-*"`:               true,
		put + `,"Resource":"arn:aws:logs:*:*:log-group:payments:*"`:              false,
		put + `,"Resource":"arn:aws:logs:*:444455556666:*"`:                      false,
		put + `,"Resource":"arn:aws:logs:*:${aws:PrincipalAccount}:*"`:           true,
		put + `,"NotResource":"arn:aws:logs:*:*:log-group:payments:*"`:           true,
		put + `,"NotResource":"arn:aws:logs:*:111122223333:log-group:*"`:         false,
		put + `,"NotResource":"arn:aws:logs:eu-west-1:111122223333:log-group:*"`: true,
		put + `,"Resource":"*","Condition":{}`:                                   true,
		put + `,"Resource":"*","Condition":{"StringEquals":{"aws:x":"y"}}`:       false,
	}
	for statement, denies := range tests {
		want := policy(t)
		for _, document := range []string{`{"Version":"2012-10-17","Statement":{"Effect":"Deny",` + statement + `}}`, `{"Statement":[{"Effect":"Deny",` + statement + `}]}`} {
			if !json.Valid([]byte(document)) {
				t.Fatal(document)
			}
			state := soundRole(want)
			state.Inline["a"] = document
			p := of(t, want, plan.Observed{State: state})
			if got := len(p.Actions) > 0; got != denies {
				t.Errorf("%s denies: %t, want %t", document, got, denies)
			}
		}
	}
}
