package lab

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// The demo attacks every guarded account in both regions with both clients, and cuts each
// sort of wire there.
func TestSpokeAttacks(t *testing.T) {
	for _, account := range guarded() {
		clients, regions, n := map[string]bool{}, map[string]bool{}, 0
		for _, at := range SpokeAttacks() {
			if at.Account == account {
				clients[at.Client()], regions[at.Region], n = true, true, n+1
			}
			if at.Cut || at.Swept || at.Findings != nil {
				t.Errorf("%s: an attack on what relight protects cuts no wire, and an event leads to what relight does", at.Name)
			}
		}
		if n < 8 || len(clients) < 2 || len(regions) < 2 {
			t.Errorf("account %s: %d attacks by %v in %v; want at least 8 by 2 clients in 2 regions", account, n, clients, regions)
		}
	}
	left := map[string]bool{"events DisableRule": true, "events RemoveTargets": true, "events DeleteRule": true, "iam PutRolePolicy": true, "iam DeleteRole": true}
	for _, at := range Cuts() {
		name, _, _ := strings.Cut(at.Name, ",")
		delete(left, name)
		if at.Account == "" || !at.Cut || at.Reported != (at.Findings != nil) {
			t.Errorf("%s: account %q, cut %t, reported %t with the findings %q", at.Name, at.Account, at.Cut, at.Reported, at.Findings)
		}
	}
	if len(left) > 0 {
		t.Errorf("no cut by %v", slices.Sorted(maps.Keys(left)))
	}
}

// The findings of a cut are relight's own, and name the account.
func TestFindingsOfCuts(t *testing.T) {
	for _, at := range Cuts() {
		for _, code := range at.Findings {
			const account = "222233334444"
			f := plan.NewFinding(plan.Code(code), plan.Args{"account": account, "region": Region, "role": "relight-spoke"})
			if !f.Alert || !strings.Contains(f.Subject, account) {
				t.Errorf("%s: finding %s: alerting %t, subject %q", at.Name, code, f.Alert, f.Subject)
			}
		}
	}
}

// A message counts as the report of a cut only if it is about the account and has the finding,
// and if an event has to lead to it, only if it names the call and the caller.
func TestReportedBy(t *testing.T) {
	const account = "222233334444"
	at := of(account, reports("iam PutRolePolicy, of a role", Region, disableTools).found(roleChanged))[0]
	message := func(change func(*Message)) Message {
		m := Message{}
		m.Document.Account, m.Document.Text = account, "role relight-spoke of account "+account
		m.Document.Findings = append(m.Document.Findings, struct {
			Code    string `json:"code"`
			Subject string `json:"subject"`
		}{roleChanged, "role relight-spoke of account " + account})
		m.Document.Causes = append(m.Document.Causes, struct {
			Event string `json:"event"`
			Actor string `json:"actor"`
		}{"PutRolePolicy", "arn:aws:iam::" + account + ":user/" + intruder})
		change(&m)
		return m
	}
	advised := of(account, mute())[0]
	told := message(func(m *Message) {
		m.Document.Causes[0].Event, m.Document.Notices = "PutAlarmMuteRule", []any{"advice"}
	})
	if !advised.reportedBy(told) {
		t.Error("a message about the call of an account is not its report")
	}
	if told.Document.Account = "333344445555"; advised.reportedBy(told) {
		t.Error("a message about another account is the report of a call")
	}
	for name, tt := range map[string]struct {
		change    func(*Message)
		want, all bool // all: what it is for a cut that a sweep notices
	}{
		"all of it":          {func(*Message) {}, true, true},
		"another account":    {func(m *Message) { m.Document.Account = Account }, false, false},
		"no account in text": {func(m *Message) { m.Document.Text = "a role was changed" }, false, false},
		"another finding":    {func(m *Message) { m.Document.Findings[0].Code = accountClosed }, false, false},
		"of another account": {func(m *Message) { m.Document.Findings[0].Subject = "role relight-spoke of account 333344445555" }, false, false},
		"no caller":          {func(m *Message) { m.Document.Causes = nil }, false, true},
		"another call":       {func(m *Message) { m.Document.Causes[0].Event = "CreateVpc" }, false, true},
	} {
		if got := at.reportedBy(message(tt.change)); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
		if got := at.swept().reportedBy(message(tt.change)); got != tt.all {
			t.Errorf("%s, after a sweep: %t, want %t", name, got, tt.all)
		}
	}
}

// What undoes an attack can put back what was there before it, and reads nothing else before.
func TestRemember(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s := Principal{AccessKey: "key", Secret: "secret", endpoint: "http://localhost"}.In(Region)
	put := func(document string) Call {
		return sdk((*iam.Client).PutRolePolicy, input{"RoleName": hubRole, "PolicyName": catalog.SpokePolicy, "PolicyDocument": document})
	}
	target := Target{Prefix: "relight"}
	if err := target.remember(over, s, []Call{put("${spoke-grants-before}")}); !errors.Is(err, context.Canceled) {
		t.Errorf("the policy is not read before the attack: %v", err)
	}
	if err := target.remember(over, s, []Call{put("${spoke-grants}")}); err != nil {
		t.Errorf("it is read before the attack: %v", err)
	}
	if err := target.remember(over, s, []Call{put("${prefix-before}")}); err != nil {
		t.Error(err)
	}
	target.Prefix = "changed"
	if got, err := s.read(over, target, "prefix-before"); got != "relight" || err != nil {
		t.Errorf("before the attack, it was %v, %v", got, err)
	}
}
