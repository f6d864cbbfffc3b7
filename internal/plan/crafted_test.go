package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// slow is longer than anything crafted may take: it should take less than a second,
// and a busy machine a few.
const slow = 5 * time.Second

// crafted are policies that somebody made to keep relight busy.
func crafted() map[string]string {
	const size = 16 << 10 // half of the largest, to save time
	statement := func(members string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*","Service":"cloudwatch.amazonaws.com"},` + members + `}}`
	}
	fill := func(part string) string { return strings.Repeat(part, size/len(part)) }
	list := func(part string) string { return `["` + strings.Join(strings.Fields(fill(part+" ")), `","`) + `"]` }
	return map[string]string{
		"stars in an action":       statement(`"Action":"kms:` + fill("*") + `z","Resource":"*"`),
		"stars apart in an action": statement(`"Action":"` + fill("*s") + `","Resource":"*"`),
		"stars in a resource":      statement(`"Action":"*","Resource":"arn:aws:sns:` + fill("*:") + `z"`),
		"many actions":             statement(`"Action":` + list("*:*i*s*h*") + `,"Resource":"*"`),
		"many resources":           statement(`"NotAction":"s3:*","NotResource":` + list("arn:*:*:*:*:*a*l*e*r*t*z")),
		"a condition with stars":   statement(`"Action":"*","Resource":"*","Condition":{"StringNotLike":{"aws:SourceArn":"` + fill("*a") + `"}}`),
		"many conditions":          statement(`"Action":"*","Resource":"*","Condition":{"ForAllValues:ArnNotLikeIfExists":{"aws:SourceArn":` + list("arn:*:*:*:*:*:*") + `}}`),
		"variables":                statement(`"Action":"*","Resource":"` + fill("${a}") + `z"`),
		"open variables":           statement(`"Action":"*","Resource":"` + fill("${") + `"`),
		"many principals":          `{"Statement":{"Effect":"Deny","Principal":{"AWS":` + list("arn:aws:iam::111122223333:role/*x*y*") + `},"Action":"*","Resource":"*"}}`,
		"many services":            `{"Statement":{"Effect":"Deny","NotPrincipal":{"Service":` + list("*.*.*.*om") + `},"Action":"*","Resource":"*"}}`,
		"many statements":          `{"Statement":[` + strings.TrimSuffix(fill(`{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*a*b*"},`), ",") + `]}`,
		"nested lists":             `{"Statement":` + fill("[") + fill("]") + `}`,
		"nested objects":           strings.Repeat(`{"Statement":`, 3000) + `[]` + strings.Repeat("}", 3000),
		"nested in a condition":    statement(`"Action":"*","Resource":"*","Condition":` + strings.Repeat(`{"a":`, 3000) + `1` + strings.Repeat("}", 3000)),
		"members again and again":  `{` + fill(`"Statement":[],`) + `"Statement":{}}`,
		"no document":              fill("x"),
		"not UTF-8":                fill("\xff"),
		"not finished":             `{"Statement":[{"Action":"` + fill("*"),
		"one of ten times that":    statement(`"Action":"` + strings.Repeat(fill("*"), 10) + `","Resource":"*"`),
	}
}

// However a policy was crafted, a kind is planned soon.
func TestCraftedPolicies(t *testing.T) {
	for name, policyText := range crafted() {
		want := policy(t)
		want.Boundary = "arn:aws:iam::111122223333:policy/bounds"
		topicState := topics(func(s *plan.TopicState) { s.Policy, s.KeyPolicy = policyText, policyText })
		role := soundRole(want)
		role.Inline["a"], role.Attached["arn:a"], role.Bounds, role.Trust = policyText, policyText, policyText, policyText
		for _, got := range []plan.Observed{topicState, {Account: account, Region: region, State: role}} {
			began := time.Now()
			if _, err := plan.Of(got.State.Kind(), want, got); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > slow {
				t.Errorf("%s: %s took %s", name, got.State.Kind(), took)
			}
		}
		began := time.Now()
		plan.AdmitsAlarm(policyText, topic, "*")
		plan.AdmitsToKey(policyText, topicKey, topic, "*")
		if took := time.Since(began); took > slow {
			t.Errorf("%s: the judges of an owner's topic took %s", name, took)
		}
	}
}

// A thousand composite alarms, each of which depends on the next, are judged
// soon, as are rules that are hard to read.
func TestCraftedCompositeAlarms(t *testing.T) {
	chain := make([]plan.Composite, 1000)
	for i := range chain {
		chain[i] = plan.Composite{
			Name: fmt.Sprint("c", i), Suppressor: "s", Rule: fmt.Sprintf("ALARM(c%d) OR %s ALARM(x%d)", i+1, strings.Repeat("NOT (FALSE) OR ", 100), i),
		}
	}
	chain[999].Rule = "ALARM(relight-root-usage)"
	for name, composites := range map[string][]plan.Composite{
		"chain":    chain,
		"open":     {{Name: "c", Suppressor: "s", Rule: strings.Repeat("(", 10240)}},
		"half":     {{Name: "c", Suppressor: "s", Rule: strings.Repeat("AT_LEAST(50%, ALARM, (", 465)}},
		"quotes":   {{Name: "c", Suppressor: "s", Rule: strings.Repeat(`ALARM("`, 1462)}},
		"blanks":   {{Name: "c", Suppressor: "s", Rule: "ALARM(" + strings.Repeat(" ", 10230)}},
		"itself":   {{Name: "c", Suppressor: "s", Rule: strings.Repeat("ALARM(c) OR ", 853)}},
		"a circle": {{Name: "c", Suppressor: "s", Rule: "ALARM(d)"}, {Name: "d", Suppressor: "s", Rule: "ALARM(c)"}},
	} {
		state := &plan.AlarmState{Composites: composites}
		began := time.Now()
		state.Behind(nil)
		_, err := plan.Of(catalog.Alarms, policy(t), plan.Observed{Account: account, Region: region, State: state})
		if took := time.Since(began); err != nil || took > slow {
			t.Errorf("%s: took %s, %v", name, took, err)
		}
	}
}

// A memory of any size and form is read, or refused, soon.
func TestCraftedMemory(t *testing.T) {
	m, err := json.Marshal(strings.Repeat("x", 6<<20))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"6 MB of text": string(m), "6 MB of a bucket": `{"v":1,"arn":"arn:aws:cloudtrail:us-east-1:111122223333:trail/audit","bucket":` + string(m) + `}`,
		"nested": strings.Repeat("[", 1<<20), "nested members": strings.Repeat(`{"v":`, 1<<18), "packed": `{"v":1,"packed":` + string(m) + `}`,
		"many selectors": `{"v":1,"selectors":{"basic":[` + strings.Repeat("{},", 1<<17) + `{}]}}`,
	} {
		began := time.Now()
		_, err := plan.DecodeTrailMemory(text, account, region)
		if took := time.Since(began); took > slow {
			t.Errorf("%s took %s (%v)", name, took, err)
		}
	}
}
