package lab

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// made returns the names of the calls that an attack makes.
func (at Attack) made() []string {
	if at.Do != nil {
		return regexp.MustCompile(`[A-Za-z]+`).FindAllString(at.Name, -1)
	}
	var names []string
	for _, c := range at.Calls {
		names = append(names, c.Operation)
	}
	return names
}

// outcomesOf returns the outcomes of the attacks that are named after a call.
func outcomesOf(call string) (outcomes []Outcome) {
	call = APIDate.ReplaceAllString(call, "")
	for _, at := range Attacks() {
		if at.call() == call || at.Do != nil && slices.Contains(at.made(), call) {
			outcomes = append(outcomes, at.Outcome())
		}
	}
	return outcomes
}

// The outcome of the attacks agrees with what the catalog does with a call: one
// with advice is reported in some attack, and one without advice for any kind is
// restored in some attack, or leads to a finding that only a person can act on.
func TestOutcomesAgreeWithTheCatalog(t *testing.T) {
	unnamed := map[string]bool{"PutBucketLifecycleConfiguration": true} // CloudTrail calls it PutBucketLifecycle
	advised := map[string]bool{}
	for _, c := range catalog.Calls {
		advised[c.Name] = advised[c.Name] || c.Advice != "" && c.Harmless.Path == ""
	}
	// A finding or a notice reports what these did, or the exemption that they gave.
	onlyFindings := map[string]bool{"PutAlarmMuteRule": true, "PutCompositeAlarm": true, "AssociateKmsKey": true, "CreateTags": true, "CreateEventSourceMapping20150331": true, "UpdateTerminationProtection": true}
	// These have advice, and the attacks with them are on what relight restores.
	healedToo := map[string]bool{"PutRetentionPolicy": true, "Unsubscribe": true, "DeleteRole": true, "DetachRolePolicy": true, "DeleteRolePermissionsBoundary": true}
	for name, advice := range advised {
		if name == "" || unnamed[name] {
			continue
		}
		got := outcomesOf(name)
		if len(got) == 0 {
			t.Errorf("no attack is named after %s, so nobody can read what becomes of it", name)
		}
		if advice && !slices.Contains(got, OnlyReported) && !healedToo[name] {
			t.Errorf("%s has advice, and its attacks are %v", name, got)
		}
		if !advice && !slices.Contains(got, Restored) && !onlyFindings[name] {
			t.Errorf("%s has no advice, and no attack with it is restored: %v", name, got)
		}
	}
}

// A limit is no call that relight watches, says why, and has a technique that
// docs/demo.md explains.
func TestLimits(t *testing.T) {
	for _, l := range Limits() {
		for _, c := range catalog.Calls {
			if c.Name != "" && slices.Contains(strings.FieldsFunc(l.Attack, func(r rune) bool { return r == ' ' || r == ',' }), c.Name) {
				t.Errorf("%s: relight watches %s", l.Attack, c.Name)
			}
		}
		if l.Why == "" || !slices.ContainsFunc(Techniques(), func(k Technique) bool { return k.ID == l.Technique }) {
			t.Errorf("%s: why %q, technique %q", l.Attack, l.Why, l.Technique)
		}
	}
	for _, at := range Attacks() {
		if at.Outcome() == "" || at.Outcome() == Neither {
			t.Errorf("%s: outcome %q", at.Name, at.Outcome())
		}
	}
}
