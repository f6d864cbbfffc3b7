package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// These limit what a status reads and shows of the accounts of an organisation.
const (
	mostSweeps  = 10 // executions that it reads, the last one first
	mostHealthy = 20 // accounts, up to which it lists the healthy ones, too
)

// An accountStatus is what the last sweep of an account came to.
type accountStatus struct {
	Account     string     `json:"account"`
	Healthy     int        `json:"healthy"`
	ToRestore   int        `json:"to_restore"` // what was not restored
	NeedsAction int        `json:"needs_action"`
	Checked     *time.Time `json:"checked"`       // when; null if no sweep that is read here has swept it
	Wires       string     `json:"wires"`         // "intact", "cut" or "unknown"
	Why         string     `json:"why,omitempty"` // the first of what was not restored or needs action, or why the last sweep could not sweep it
}

func (a accountStatus) fine() bool { return a.Why == "" && a.ToRestore+a.NeedsAction == 0 }

// statusOf returns the status of an account, given what a sweep came to.
func statusOf(s app.Swept) accountStatus {
	wires := "intact"
	switch {
	case s.Wires == app.Unchecked:
		wires = "unknown"
	case s.Wires > 0:
		wires = "cut"
	}
	return accountStatus{
		Account: s.Account, Healthy: s.Healthy, ToRestore: s.Unrestored + max(0, s.Planned-s.Repaired-s.Unrestored), NeedsAction: s.Findings,
		Checked: s.Time, Wires: wires, Why: s.Why,
	}
}

// accountStatus reads what the last sweeps of the organisation's accounts came to. Those of
// some kinds or regions say nothing of an account as a whole.
func (a *account) accountStatus(ctx context.Context, s *status) error {
	org := a.config.Baseline().Organization
	if !org.On() {
		return nil
	}
	m := a.machine(&flags{now: time.Now})
	listed, err := m.client.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: aws.String(m.arn), StatusFilter: types.ExecutionStatusSucceeded, MaxResults: mostSweeps})
	if err != nil {
		return fmt.Errorf("list the sweeps of the organisation (needs states:ListExecutions): %w", err)
	}
	found, missed := map[string]accountStatus{}, map[string]string{}
	for _, e := range listed.Executions {
		out, err := m.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: e.ExecutionArn})
		if err != nil {
			return fmt.Errorf("read a sweep of the organisation (needs states:DescribeExecution): %w", err)
		}
		var asked asking
		var sum app.Gathered
		if json.Unmarshal([]byte(aws.ToString(out.Input)), &asked) != nil || json.Unmarshal([]byte(aws.ToString(out.Output)), &sum) != nil || !a.whole(asked) {
			continue
		}
		if sum.Own != nil {
			sum.Swept = append(sum.Swept, *sum.Own)
		}
		if sum.Hub != "" {
			sum.Unswept = append(sum.Unswept, app.Unswept{Account: s.Account, Error: sum.Hub})
		}
		for _, u := range sum.Unswept {
			if _, known := found[u.Account]; !known && missed[u.Account] == "" {
				missed[u.Account] = u.Error
			}
		}
		for _, swept := range sum.Swept {
			if _, known := found[swept.Account]; !known && !slices.ContainsFunc(sum.Unswept, func(u app.Unswept) bool { return u.Account == swept.Account }) {
				found[swept.Account] = statusOf(swept)
			}
		}
		all := len(asked.Accounts) == 0 && sum.Failed == ""
		for account := range missed {
			_, known := found[account]
			all = all && known
		}
		if all {
			break
		}
	}
	for account, why := range missed {
		of, known := found[account]
		if !known {
			of = accountStatus{Account: account, Wires: "unknown"}
		}
		of.Why = "the last sweep could not sweep it: " + why
		found[account] = of
	}
	for _, account := range slices.Sorted(maps.Keys(found)) {
		s.Accounts = append(s.Accounts, found[account])
	}
	return nil
}

// whole reports whether a sweep says what accounts are like as a whole. The schedules name every
// kind that is not switched off.
func (a *account) whole(asked asking) bool {
	missing := func(k catalog.Kind) bool { return !slices.Contains(asked.Kinds, k) }
	return len(asked.Regions) == 0 && (len(asked.Kinds) == 0 || !slices.ContainsFunc(a.config.Watched(), missing))
}

// judgeAccounts adds what needs action in accounts to the problems.
func (s *status) judgeAccounts() {
	n := 0
	for _, a := range s.Accounts {
		if a.Account == s.Account || a.fine() { // the sweep of the hub is judged as such
			continue
		}
		if n++; n <= mostOpen {
			why := cmp.Or(a.Why, fmt.Sprintf("%d not restored, %d %s", a.ToRestore, a.NeedsAction, needs(a.NeedsAction)))
			s.Problems = append(s.Problems, "account "+a.Account+": "+oneLine(why))
		}
	}
	if n > mostOpen {
		s.Problems = append(s.Problems, fmt.Sprintf("and %d more accounts: see relight plan", n-mostOpen))
	}
}

// accounts prints the accounts of an organisation as a table: all of them if they are few, or
// else those that are not healthy.
func (p *printer) accounts(s status, all bool) {
	if len(s.Accounts) == 0 {
		return
	}
	fine := 0
	p.line("%-13s %8s %11s %13s %13s  %s", "account", "healthy", "to restore", "needs action", "last checked", "wires")
	for _, a := range s.Accounts {
		if a.fine() {
			if fine++; !all && len(s.Accounts) > mostHealthy {
				continue
			}
		}
		checked := "unknown"
		if a.Checked != nil {
			checked = shortAge(s.Time.Sub(*a.Checked)) + " ago"
		}
		p.line("%-13s %8d %11d %13d %13s  %s", a.Account, a.Healthy, a.ToRestore, a.NeedsAction, checked, a.Wires)
	}
	p.line("%d of %d accounts are healthy", fine, len(s.Accounts))
}
