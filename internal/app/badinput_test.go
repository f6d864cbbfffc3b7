package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/catalog"
)

// sweepCells does what the state machine does: it has each account swept as a cell, with the
// request, and sums up what came of them. A failed one does not stop the others.
func (w *world) sweepCells(request string, accounts ...string) (sum app.Gathered, of map[string]app.Swept) {
	w.t.Helper()
	a := w.app(catalog.Backfill)
	var children, cells []any
	of = map[string]app.Swept{}
	for _, id := range accounts {
		cells = append(cells, map[string]string{"account": id})
		got, err := a.HandleBackfill(w.t.Context(), json.RawMessage(`{"account":"`+id+`","short":true,"seconds":240`+request+`}`))
		if err != nil {
			cause := string(must(json.Marshal(map[string]string{"errorMessage": err.Error(), "errorType": "Error"})))
			children = append(children, child(id, map[string]string{"Status": "FAILED", "Error": "Lambda.Unknown", "Cause": cause}))
			continue
		}
		of[id] = got.(app.Swept)
		children = append(children, child(id, map[string]string{"Output": string(must(json.Marshal(got)))}))
	}
	w.results(map[string]string{"m": `{"ResultFiles":{"SUCCEEDED":[{"Key":"s"}]}}`, "s": string(must(json.Marshal(children)))})
	gather := map[string]any{"bucket": "results", "key": "m", "cells": cells, "last": true}
	return must(a.HandleBackfill(w.t.Context(), must(json.Marshal(map[string]any{"gather": gather})))).(app.Gathered), of
}

// What is wrong with one account is named with the account, the call and what to do, in a
// message or in the log that the message names, and every other account is swept.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const stranger = "555566667777" // in no organisation
	for name, tt := range map[string]struct {
		harm    func(w *world, guarded *awstest.Account)
		request string
		of      string // the account that it is about
		told    []string
		logged  []string
	}{
		"an account that is not in the organisation": {
			func(*world, *awstest.Account) {}, "", stranger,
			[]string{"account-closed", stranger, "relight spoke-template"},
			[]string{"sts.AssumeRole arn:aws:iam::" + stranger + ":role/relight-spoke", "deploy there the template"},
		},
		"a role with another trust": {
			func(w *world, guarded *awstest.Account) {
				must(guarded.IAM.UpdateAssumeRolePolicy(w.t.Context(), &iam.UpdateAssumeRolePolicyInput{
					RoleName: aws.String("relight-spoke"), PolicyDocument: aws.String(strings.ReplaceAll(trustOf(w, guarded), account, third)),
				}))
			}, "", other,
			[]string{"account-closed", other, "relight spoke-template"},
			[]string{"sts.AssumeRole " + spokeRole},
		},
		"a role that may not list regions": {
			func(_ *world, guarded *awstest.Account) { guarded.Deny("DescribeRegions") }, "", other,
			[]string{"accounts-unswept", other},
			[]string{other, "ec2.DescribeRegions", "allow ec2:DescribeRegions in", "service control policy"},
		},
		"a role that may not list VPCs": {
			func(_ *world, guarded *awstest.Account) { guarded.Deny("DescribeVpcs") }, "", other,
			[]string{other, "ec2.DescribeVpcs", "allow ec2:DescribeVpcs in", "service control policy"},
			[]string{"ec2.DescribeVpcs"},
		},
		"a region that the account lacks": {
			func(w *world, _ *awstest.Account) { w.AddRegion("eu-south-1", "opted-in") }, `,"regions":["eu-south-1"]`, other,
			[]string{"accounts-unswept", other},
			[]string{other, "region eu-south-1 is not enabled for account " + other, "enable it or leave it out"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, guarded, _ := hub(t, "")
			tt.harm(w, guarded)
			told := len(w.Messages())
			_, of := w.sweepCells(tt.request, tt.of, account)
			var log string // about that account
			for line := range strings.Lines(w.log.String()) {
				if strings.Contains(line, tt.of) && strings.Contains(line, `"error":`) {
					log += line
				}
			}
			said := w.told(told)
			for _, want := range tt.told {
				if !strings.Contains(said, want) {
					t.Errorf("no message has %q:\n%s", want, said)
				}
			}
			for _, want := range tt.logged {
				if !strings.Contains(log, want) {
					t.Errorf("the log lacks %q:\n%s", want, log)
				}
			}
			if of[account].Healthy == 0 && tt.request == "" {
				t.Errorf("the hub: %+v", of[account])
			}
		})
	}
}

// A unit that organization.ous names and that is above no account is a finding, unless not every
// account was swept: an ID with a mistake in it would leave accounts unguarded that nobody misses.
func TestUnknownUnit(t *testing.T) {
	t.Parallel()
	const unit, mistaken = "ou-a1b2-c3d4e5f6", "ou-a1b2-c3d4e5f7"
	w, guarded, _ := hub(t, `"ous":["`+unit+`","`+mistaken+`"]`)
	const below = `,"parents":["` + unit + `","r-a1b2"]`
	told := len(w.Messages())
	if w.sweepCells(below, other, "12"); strings.Contains(w.told(told), mistaken) {
		t.Errorf("one account was not swept, and nobody knows what is above it:\n%s", w.told(told))
	}
	told = len(w.Messages())
	sum, _ := w.sweepCells(below, other)
	said := w.told(told)
	for _, want := range []string{"unit-unknown", mistaken, "organization.ous", "organizations list-organizational-units-for-parent"} {
		if !strings.Contains(said, want) {
			t.Errorf("no message has %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, unit) || len(flowLogsOf(t, guarded)) == 0 || sum.Accounts != 1 {
		t.Errorf("%+v: %s", sum, said)
	}
	told = len(w.Messages())
	if w.sweepCells(below, other); len(w.Messages()) > told {
		t.Errorf("told again:\n%s", w.told(told))
	}
}
