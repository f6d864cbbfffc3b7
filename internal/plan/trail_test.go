package plan_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// sound returns a trail with everything that policy wants.
func sound(name string) plan.Trail {
	t := trailIn(name, account, region)
	t.LogGroupARN = strings.TrimSuffix(t.LogGroupARN, ":*")
	t.GlobalEvents, t.Validation = true, true
	t.Bucket, t.Prefix, t.Key, t.Role = "audit-bucket", "logs", "arn:aws:kms:us-east-1:111122223333:key/1", "arn:aws:iam::111122223333:role/audit"
	return t
}

// remembering returns a recollection of a trail with all management events.
func remembering(t plan.Trail) plan.Recollection {
	m := plan.MemoryOf(t, plan.DefaultSelectors(), false)
	return plan.Recollection{Trail: &m}
}

// trailPlan plans a look at everything.
func trailPlan(want catalog.Desired, s plan.TrailState) plan.Plan {
	p, err := plan.Of(catalog.Trails, want, plan.Observed{Account: account, Region: region, State: &s})
	if err != nil {
		panic(err) // something was observed
	}
	return p
}

// observed is a trail that fares well, with what is remembered.
func observed(t plan.Trail, m plan.Recollection) plan.TrailState {
	return plan.TrailState{
		Choice: plan.TrailChoice{Trail: &t}, Memory: m, Status: plan.TrailStatus{Logging: true}, Selectors: plan.DefaultSelectors(), GroupExists: true,
	}
}

func TestTrails(t *testing.T) {
	main := sound("main")
	is := func(change func(*plan.TrailState)) plan.TrailState {
		s := observed(main, remembering(main))
		change(&s)
		return s
	}
	as := func(m plan.Recollection, change func(*plan.Trail)) plan.TrailState {
		return observed(with(main, change), m)
	}
	strip := func(t *plan.Trail) {
		t.MultiRegion, t.GlobalEvents, t.Validation, t.LogGroupARN, t.Role, t.Key = false, false, false, "", "", ""
	}
	const moved = "If this change was intended, run relight accept"
	tests := map[string]struct {
		want     catalog.Desired
		s        plan.TrailState
		actions  []string
		findings []string // beginnings, after the trail
		held     int
	}{
		"as wanted":  {s: is(func(*plan.TrailState) {}), held: 1},
		"never seen": {s: observed(main, plan.Recollection{}), actions: []string{"remember trail main in //memory/trail: bucket audit-bucket, log-group main-logs (it is not remembered yet)"}, held: 1},
		"stopped":    {s: is(func(s *plan.TrailState) { s.Status.Logging = false }), actions: []string{"start logging of trail main (it does not log)"}},
		"narrowed": {
			s:       is(func(s *plan.TrailState) { s.Selectors = basic(plan.Selector{Management: true, ReadWrite: "ReadOnly"}) }),
			actions: []string{"put event selectors of trail main (it records no management events that write)"},
		},
		"stripped, its log group too": {
			s: func() plan.TrailState {
				s := as(remembering(main), strip)
				s.GroupExists = false
				return s
			}(),
			actions: []string{
				"create log-group main-logs that keeps its logs for ever (it does not exist; the trail needs it)",
				"update trail main (it omits the events of global services, log file validation is off, it records one region only, it delivers to no log group, its log files are not encrypted with a KMS key)",
			},
		},
		"stripped and unknown": {
			s:        as(plan.Recollection{}, strip),
			findings: []string{"it delivers to no log group"},
		},
		"stripped and unknown, but named": {
			want: catalog.Desired{Baseline: catalog.Baseline{
				Trail:    catalog.TrailSpec{Name: "main", RoleARN: "arn:aws:iam::111122223333:role/mine", KeyARN: "arn:aws:kms:us-east-1:111122223333:key/2"},
				LogGroup: catalog.LogGroupSpec{Name: "mine"},
			}},
			s: func() plan.TrailState {
				s := as(plan.Recollection{}, strip)
				s.Choice.Named = true
				return s
			}(),
			actions: []string{
				"update trail main (it omits the events of global services, log file validation is off, it records one region only, it delivers to no log group, its log files are not encrypted with a KMS key)",
			},
		},
		"deleted": {
			s:       plan.TrailState{Choice: plan.TrailChoice{Gone: true}, Memory: remembering(main), GroupExists: true},
			actions: []string{"create trail main to bucket audit-bucket and log-group main-logs (it was deleted; to protect another trail instead, set trail.name)", "start logging of trail main (a new trail does not log yet)"},
		},
		"deleted, with data events": {
			s: func() plan.TrailState {
				m := plan.MemoryOf(main, plan.Selectors{Basic: []plan.Selector{{ReadWrite: "All", Data: []plan.DataResource{objects}}}}, false)
				return plan.TrailState{Choice: plan.TrailChoice{Gone: true}, Memory: plan.Recollection{Trail: &m}, GroupExists: true}
			}(),
			actions: []string{
				"create trail main to bucket audit-bucket and log-group main-logs (it was deleted; to protect another trail instead, set trail.name)",
				"start logging of trail main (a new trail does not log yet)", "put event selectors of trail main (as remembered)",
			},
		},
		"deleted, another bucket configured": {
			want:    catalog.Desired{Baseline: catalog.Baseline{Trail: catalog.TrailSpec{Bucket: "configured"}}},
			s:       plan.TrailState{Choice: plan.TrailChoice{Gone: true}, Memory: remembering(main), GroupExists: true},
			actions: []string{"create trail main to bucket configured and log-group main-logs (it was deleted; to protect another trail instead, set trail.name)", "start logging of trail main (a new trail does not log yet)"},
		},
		"another bucket": {
			s: as(remembering(main), func(t *plan.Trail) { t.Bucket = "theirs" }), held: 1,
			findings: []string{"its bucket is theirs; the remembered bucket is audit-bucket. " + moved + " or set trail.bucket"},
		},
		"another bucket, as configured": {
			want: catalog.Desired{Baseline: catalog.Baseline{Trail: catalog.TrailSpec{Bucket: "theirs"}}},
			s:    as(remembering(main), func(t *plan.Trail) { t.Bucket = "theirs" }), held: 1,
			actions: []string{"remember trail main in //memory/trail: bucket theirs, log-group main-logs (it changed since it was remembered; bucket: was audit-bucket, now theirs)"},
		},
		"another bucket than configured": {
			want: catalog.Desired{Baseline: catalog.Baseline{Trail: catalog.TrailSpec{Bucket: "configured"}}}, s: is(func(*plan.TrailState) {}), held: 1,
			findings: []string{"its bucket is audit-bucket; the configured bucket is configured"},
		},
		"every other destination": {
			s: as(remembering(main), func(t *plan.Trail) {
				t.Prefix, t.Key, t.Role, t.LogGroupARN = "", "arn:aws:kms:us-east-1:111122223333:key/9", "arn:aws:iam::111122223333:role/9", "arn:aws:logs:us-east-1:111122223333:log-group:9"
			}), held: 1,
			findings: []string{"its key is arn:", "its log group is arn:", "its prefix is none; the remembered prefix is logs", "its role is arn:"},
		},
		"a key where there was none": {
			s: as(remembering(with(main, func(t *plan.Trail) { t.Key = "" })), func(*plan.Trail) {}), held: 1,
			findings: []string{"its key is arn:aws:kms:us-east-1:111122223333:key/1; the remembered key is none"},
		},
		"not delivering": {
			s: is(func(s *plan.TrailState) {
				s.Status.DeliveryError, s.Status.LogsError = "NoSuchBucket", "Access denied."
			}),
			findings: []string{"its events do not reach log group main-logs: Access denied.", "its log files do not reach bucket audit-bucket: NoSuchBucket"},
		},
		"an organisation's no more": {
			s:       as(remembering(with(main, func(t *plan.Trail) { t.Organization = true })), func(*plan.Trail) {}),
			actions: []string{"update trail main (it no longer covers the organisation)"},
		},
		"relight made its log group": {
			s: is(func(s *plan.TrailState) { s.Memory, s.OwnGroup = remembering(main), true }), held: 1,
			actions: []string{"remember trail main in //memory/trail: bucket audit-bucket, log-group main-logs (relight made its log group)"},
		},
		"memory of another trail": {
			s: is(func(s *plan.TrailState) { s.Memory, s.Choice.Named = remembering(sound("other")), true }), held: 1,
			actions: []string{"remember trail main in //memory/trail: bucket audit-bucket, log-group main-logs (it is not remembered yet)"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := trailPlan(tt.want, tt.s)
			says(t, "actions", p.Actions, tt.actions...)
			if p.Healthy != tt.held {
				t.Errorf("holds %d, want %d", p.Healthy, tt.held)
			}
			if len(p.Findings) != len(tt.findings) {
				t.Fatalf("findings %v, want %d", p.Findings, len(tt.findings))
			}
			for i, f := range p.Findings {
				if got := strings.TrimPrefix(f.String(), "["+string(f.Code)+"] trail "+main.ARN+": "); !strings.HasPrefix(got, tt.findings[i]) {
					t.Errorf("finding %q, want %q", got, tt.findings[i])
				}
				if alert := strings.Contains(f.Remedy, moved); f.Alert != alert {
					t.Errorf("%q: told at once is %t, want %t", f, f.Alert, alert)
				}
			}
		})
	}
}

// Only a look at everything finds what is worth remembering.
func TestEventsRememberNothing(t *testing.T) {
	s := observed(sound("main"), plan.Recollection{})
	p := of(t, catalog.Desired{}, plan.Observed{Account: account, Region: region, Type: catalog.Trail, Asked: []string{"main"}, State: &s})
	if len(p.Actions) > 0 || !slices.Equal(p.Touched, []string{"main"}) {
		t.Errorf("actions %v, touched %v; want none, main", p.Actions, p.Touched)
	}
}

// A memory that cannot be used is told, and never written over.
func TestUnreadableMemory(t *testing.T) {
	p := trailPlan(catalog.Desired{}, observed(sound("main"), plan.Recollection{Unreadable: "AccessDenied"}))
	if len(p.Actions) > 0 || len(p.Findings) != 1 || !p.Findings[0].Alert {
		t.Errorf("actions %v, findings %v; want one finding", p.Actions, p.Findings)
	}
}

// Whatever a trail is like and whatever is remembered of it, what is planned
// satisfies policy, takes nothing from the trail, and is planned once.
func TestMemoryNeverWeakens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		coin := func(name string) bool { return rapid.Bool().Draw(r, name) }
		pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(r, name) }
		any := func(name string) plan.Trail {
			t := sound("main")
			t.MultiRegion, t.GlobalEvents, t.Validation, t.Organization = coin(name+" multi"), coin(name+" global"), coin(name+" validation"), coin(name+" organisation")
			t.Bucket, t.Prefix = pick(name+" bucket", "a", "b"), pick(name+" prefix", "", "p")
			t.Key, t.Topic = pick(name+" key", "", "arn:1", "arn:2"), pick(name+" topic", "", "arn:t")
			if coin(name + " without logs") {
				t.LogGroupARN, t.Role = "", ""
			}
			return t
		}
		now := any("now")
		m := plan.MemoryOf(any("memory"), anySelectors(r, "remembered"), false)
		if decoded, err := plan.DecodeTrailMemory(m.Encode(), account, region); len(m.Selectors.Basic) == 0 || len(m.Selectors.Advanced) == 0 {
			if diff := cmp.Diff(m.Encode(), decoded.Encode()); err != nil || diff != "" {
				r.Fatalf("decoded %v:\n%s", err, diff)
			}
		}
		s := observed(now, plan.Recollection{Trail: &m})
		s.Status.Logging, s.Selectors = coin("logging"), anySelectors(r, "selectors")
		if coin("deleted") {
			s.Choice = plan.TrailChoice{Gone: true}
		}
		after := applied(s, trailPlan(catalog.Desired{}, s))
		got := *after.Choice.Trail
		if !got.MultiRegion || !got.GlobalEvents || !got.Validation || !after.Status.Logging || after.Selectors.Missing() != "" {
			r.Fatalf("planned %+v, logging %t, selectors %+v", got, after.Status.Logging, after.Selectors)
		}
		if was := s.Choice.Trail; was != nil {
			if got.Bucket != was.Bucket || got.Prefix != was.Prefix || was.Key != "" && got.Key != was.Key || was.Topic != "" && got.Topic != was.Topic ||
				was.LogGroupARN != "" && (got.LogGroupARN != was.LogGroupARN || got.Role != was.Role) || was.Organization && !got.Organization {
				r.Fatalf("%+v became %+v", *was, got)
			}
		}
		for _, a := range trailPlan(catalog.Desired{}, after).Actions {
			if a.Step().Restores() {
				r.Fatalf("a second plan has %s", a)
			}
		}
	})
}

// applied returns what is observed after a plan was carried out.
func applied(s plan.TrailState, p plan.Plan) plan.TrailState {
	for _, a := range p.Actions {
		switch a := a.(type) {
		case plan.CreateTrail:
			s.Choice = plan.TrailChoice{Trail: &a.Trail}
			s.Status.Logging, s.Selectors = false, plan.DefaultSelectors()
		case plan.UpdateTrail:
			s.Choice.Trail = &a.Trail
		case plan.StartLogging:
			s.Status.Logging = true
		case plan.PutSelectors:
			s.Selectors = a.Selectors
		}
	}
	return s
}

func TestDecodeTrailMemory(t *testing.T) {
	good := plan.MemoryOf(sound("main"), plan.DefaultSelectors(), false)
	tests := map[string]struct{ text, why string }{
		"good":             {good.Encode(), ""},
		"empty":            {"", "not JSON"},
		"not JSON":         {"bucket", "not JSON"},
		"a later version":  {`{"v":2,"arn":"x","new":1}`, "version 2"},
		"no version":       {`{}`, "version 0"},
		"an unknown field": {`{"v":1,"logging":false}`, "unknown field"},
		"another account":  {strings.ReplaceAll(good.Encode(), ":111122223333:trail", ":444455556666:trail"), "is not a trail of account 111122223333"},
		"another region":   {strings.ReplaceAll(good.Encode(), "cloudtrail:us-east-1", "cloudtrail:eu-west-1"), "is not a trail of account"},
		"packed nonsense":  {`{"v":1,"packed":"AAAA"}`, "packed"},
		"packed and more":  {`{"v":1,"packed":"AAAA","arn":"x"}`, "unknown field"},
		"packed, no v":     {`{"packed":"AAAA"}`, "version 0"},
		"no bucket":        {strings.ReplaceAll(good.Encode(), "audit-bucket", ""), "no bucket"},
		"two sorts":        {strings.ReplaceAll(good.Encode(), `"selectors":{`, `"selectors":{"advanced":[{"fields":[]}],`), "basic and advanced"},
	}
	for name, tt := range tests {
		_, err := plan.DecodeTrailMemory(tt.text, account, region)
		if tt.why == "" && err != nil || tt.why != "" && (err == nil || !strings.Contains(err.Error(), tt.why)) {
			t.Errorf("%s: %v, want %q", name, err, tt.why)
		}
	}
}

func TestChooseTrail(t *testing.T) {
	bare := func(name string) plan.Trail { return with(sound(name), func(t *plan.Trail) { t.LogGroupARN = "" }) }
	one := with(sound("one"), func(t *plan.Trail) { t.MultiRegion = false })
	abroad, theirs := trailIn("abroad", account, "eu-west-1"), trailIn("theirs", other, region)
	memory := func(name string) *plan.TrailMemory { return remembering(sound(name)).Trail }
	three := []plan.Trail{sound("a"), sound("b"), sound("c")}
	org := with(trailIn("org", other, region), func(t *plan.Trail) { t.Organization = true })
	delegated := with(org, func(t *plan.Trail) { t.LogGroupARN = sound("org").LogGroupARN })
	logging := plan.TrailStatus{Logging: true}
	off, adopted := plan.TrailHealth{Selectors: plan.DefaultSelectors()}, dataOnly
	adopted.Adopted = true
	narrowed := plan.TrailHealth{Status: logging, Selectors: basic(plan.Selector{Management: true, ReadWrite: "ReadOnly"})}
	failing := plan.TrailHealth{Status: plan.TrailStatus{Logging: true, DeliveryError: "NoSuchBucket"}, Selectors: plan.DefaultSelectors()}
	tests := map[string]struct {
		name       string // configured
		trails     []plan.Trail
		remembered *plan.TrailMemory
		does       map[string]plan.TrailHealth // by name; those not given do everything
		chosen     string                      // its name
		gone       bool
		unsure     bool
		says       string // part of the finding or of why it is elsewhere
	}{
		"one":                             {trails: []plan.Trail{sound("b")}, chosen: "b"},
		"several":                         {trails: []plan.Trail{sound("b"), sound("a")}, chosen: "a", unsure: true, says: "relight chose it because it is the first by ARN, but other trails qualify too: "},
		"several, one remembered":         {trails: []plan.Trail{sound("b"), sound("a")}, remembered: memory("b"), chosen: "b", unsure: true, says: "relight chose it because it is the remembered one"},
		"several, one named":              {name: "b", trails: []plan.Trail{sound("b"), sound("a")}, remembered: memory("a"), chosen: "b"},
		"named by ARN":                    {name: sound("b").ARN, trails: []plan.Trail{sound("b")}, chosen: "b"},
		"named, of one region":            {name: "one", trails: []plan.Trail{sound("b"), one}, chosen: "one"},
		"named, and gone":                 {name: "b", trails: []plan.Trail{sound("a")}, remembered: memory("b"), gone: true},
		"named, and never there":          {name: "c", trails: []plan.Trail{sound("a")}, remembered: memory("a"), says: "the configuration names it"},
		"named, abroad":                   {name: "abroad", trails: []plan.Trail{abroad}, says: "Deploy relight in the trail's home region, eu-west-1"},
		"named, theirs":                   {name: "theirs", trails: []plan.Trail{theirs}, says: "belongs to account 444455556666"},
		"remembered, and gone":            {trails: []plan.Trail{sound("a")}, remembered: memory("b"), gone: true},
		"remembered, stripped":            {trails: []plan.Trail{sound("a"), with(bare("b"), func(t *plan.Trail) { t.MultiRegion = false })}, remembered: memory("b"), chosen: "b", says: "other trails qualify too"},
		"one without a log group":         {trails: []plan.Trail{bare("b")}, chosen: "b", unsure: true},
		"one without beside theirs":       {trails: []plan.Trail{bare("b"), theirs}, says: "not applicable"},
		"one that delivers comes first":   {trails: []plan.Trail{bare("a"), sound("b")}, chosen: "b"},
		"of one region":                   {trails: []plan.Trail{one}, unsure: true, says: "no multi-region trail"},
		"abroad":                          {trails: []plan.Trail{abroad, theirs}, says: "its home region is eu-west-1, not us-east-1"},
		"theirs":                          {trails: []plan.Trail{theirs}, says: "not applicable: arn:aws:cloudtrail:us-east-1:444455556666:trail/theirs belongs to account 444455556666"},
		"none":                            {unsure: true, says: "no multi-region trail"},
		"none, one remembered":            {remembered: memory("b"), gone: true, unsure: true},
		"the one that does the job":       {trails: three, does: map[string]plan.TrailHealth{"a": dataOnly, "b": off}, chosen: "c", unsure: true},
		"all for data":                    {trails: three, does: map[string]plan.TrailHealth{"a": dataOnly, "b": dataOnly, "c": dataOnly}, unsure: true, says: "[trail-other-purpose]"},
		"one for data":                    {trails: three[:1], does: map[string]plan.TrailHealth{"a": dataOnly}, says: "[trail-other-purpose]"},
		"one for data, adopted":           {trails: three[:1], does: map[string]plan.TrailHealth{"a": adopted}, chosen: "a"},
		"one for data, named":             {name: "a", trails: three[:1], does: map[string]plan.TrailHealth{"a": dataOnly}, chosen: "a"},
		"one for data, remembered":        {trails: three[:1], remembered: memory("a"), does: map[string]plan.TrailHealth{"a": dataOnly}, chosen: "a"},
		"one for data beside a bare one":  {trails: []plan.Trail{sound("a"), bare("b")}, does: map[string]plan.TrailHealth{"a": dataOnly}, chosen: "b"},
		"one stopped":                     {trails: three[:1], does: map[string]plan.TrailHealth{"a": off}, chosen: "a"},
		"all stopped":                     {trails: three[:2], does: map[string]plan.TrailHealth{"a": off, "b": off}, chosen: "a", unsure: true, says: "other trails qualify too"},
		"stopped beside narrowed":         {trails: three[:2], does: map[string]plan.TrailHealth{"a": off, "b": narrowed}, chosen: "b", unsure: true},
		"narrowed beside not delivering":  {trails: three[:2], does: map[string]plan.TrailHealth{"a": narrowed, "b": failing}, chosen: "b", unsure: true},
		"not delivering beside sound":     {trails: three[:2], does: map[string]plan.TrailHealth{"a": failing}, chosen: "b", unsure: true},
		"bare ones":                       {trails: []plan.Trail{bare("a"), bare("b")}, does: map[string]plan.TrailHealth{"a": off}, chosen: "b", unsure: true},
		"remembered beside stopped":       {trails: three[:2], remembered: memory("b"), does: map[string]plan.TrailHealth{"a": off}, chosen: "b", unsure: true},
		"an organisation's beside own":    {trails: []plan.Trail{sound("a"), org}, unsure: true, says: "to protect " + sound("a").ARN + " here, name it"},
		"an organisation's unread":        {trails: []plan.Trail{sound("a"), org}, does: map[string]plan.TrailHealth{"org": {Unread: true}}, unsure: true, says: "not applicable"},
		"an organisation's for data":      {trails: []plan.Trail{sound("a"), org}, does: map[string]plan.TrailHealth{"org": dataOnly}, chosen: "a", unsure: true},
		"an organisation's, own named":    {name: "a", trails: []plan.Trail{sound("a"), org}, chosen: "a"},
		"an organisation's, remembered":   {trails: []plan.Trail{sound("a"), org}, remembered: memory("a"), chosen: "a", unsure: true},
		"a delegated administrator":       {trails: []plan.Trail{delegated}, chosen: "org"},
		"delegated beside own":            {trails: []plan.Trail{sound("a"), delegated}, chosen: "org", unsure: true},
		"delegated, named":                {name: "org", trails: []plan.Trail{sound("a"), delegated}, chosen: "org"},
		"theirs, own remembered and gone": {trails: []plan.Trail{theirs}, remembered: memory("b"), gone: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := catalog.Desired{Baseline: catalog.Baseline{Trail: catalog.TrailSpec{Name: tt.name}}}
			c := plan.ChooseTrail(want, account, region, tt.trails, tt.remembered, does(tt.trails, tt.does))
			chosen := ""
			if c.Trail != nil {
				chosen = c.Trail.ARN[strings.LastIndex(c.Trail.ARN, "/")+1:]
			}
			if chosen != tt.chosen || c.Gone != tt.gone || c.Unsure != tt.unsure || c.Named != (tt.name != "") {
				t.Errorf("chosen %q, gone %t, unsure %t, named %t", chosen, c.Gone, c.Unsure, c.Named)
			}
			said := c.Elsewhere
			for _, f := range c.Findings {
				said += f.String()
			}
			if !strings.Contains(said, tt.says) || tt.says == "" && said != "" {
				t.Errorf("says %q, want %q", said, tt.says)
			}
			reversed := slices.Clone(tt.trails)
			slices.Reverse(reversed)
			if diff := cmp.Diff(c, plan.ChooseTrail(want, account, region, reversed, tt.remembered, does(tt.trails, tt.does))); diff != "" {
				t.Errorf("the order of trails matters:\n%s", diff)
			}
		})
	}
}

// A stripped or deleted trail leaves filters and alarms where they were.
func TestTrailLogsFromMemory(t *testing.T) {
	m := remembering(sound("main")).Trail
	bare := with(sound("main"), func(t *plan.Trail) { t.LogGroupARN = "" })
	for name, trails := range map[string][]plan.Trail{
		"stripped": {bare}, "deleted": nil, "stripped beside another": {bare, sound("aaa")}, "deleted beside another": {sound("aaa")},
	} {
		if got := plan.ChooseTrailLogs(catalog.Desired{}, account, region, trails, m, nil); got.LogGroup != "main-logs" {
			t.Errorf("%s: log group %q, want main-logs", name, got.LogGroup)
		}
	}
}

// A configured log group counts only if a trail is, or was, pointed at it.
func TestConfiguredTrailLogs(t *testing.T) {
	want := catalog.Desired{Baseline: catalog.Baseline{LogGroup: catalog.LogGroupSpec{Name: "main-logs"}}}
	main, elsewhere := sound("main"), trailIn("main", account, "eu-west-1")
	plain := main
	main.Selective = true
	data := plan.Healths{main.ARN: dataOnly}
	tests := map[string]struct {
		trails       []plan.Trail
		remembered   *plan.TrailMemory
		does         plan.Healths
		unfed, doubt bool
	}{
		"delivered to":              {trails: []plan.Trail{main}, doubt: true},
		"delivered to, and read":    {trails: []plan.Trail{main}, does: does([]plan.Trail{main}, nil)},
		"by a new trail":            {trails: []plan.Trail{plain}},
		"by a trail for data":       {trails: []plan.Trail{main}, does: data, doubt: true},
		"delivered to, remembered":  {trails: []plan.Trail{main}, remembered: remembering(main).Trail},
		"remembered":                {remembered: remembering(main).Trail},
		"remembered, moved":         {trails: []plan.Trail{sound("other")}, remembered: remembering(main).Trail},
		"neither":                   {trails: []plan.Trail{sound("other")}, unfed: true},
		"neither, other remembered": {trails: []plan.Trail{sound("other")}, remembered: remembering(sound("other")).Trail, unfed: true},
		"another region":            {trails: []plan.Trail{elsewhere}, unfed: true},
	}
	for name, tt := range tests {
		got := plan.ChooseTrailLogs(want, account, region, tt.trails, tt.remembered, tt.does)
		if got.LogGroup != "main-logs" || got.Unfed != tt.unfed || (len(got.Doubt) > 0) != tt.doubt {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for exists, code := range map[bool]plan.Code{true: plan.LogGroupUnfed, false: plan.LogGroupNotFound} {
		if got := plan.UnfedLogGroup(want, exists); got.LogGroup != "" || len(got.Findings) != 1 || got.Findings[0].Code != code {
			t.Errorf("exists %t: %+v", exists, got)
		}
	}
	doubtful := plan.TrailLogs{LogGroup: "main-logs", Doubt: []plan.Trail{main}}
	if got := doubtful.FedBy(data); got.LogGroup != "" || len(got.Findings) != 1 {
		t.Errorf("fed by data events only: %+v", got)
	}
	if got := doubtful.FedBy(does(doubtful.Doubt, nil)); got.LogGroup == "" || len(got.Findings)+len(got.Doubt) != 0 {
		t.Errorf("fed: %+v", got)
	}
}

// dataOnly is the health of a trail that logs other events only.
var dataOnly = plan.TrailHealth{Status: plan.TrailStatus{Logging: true}, Selectors: basic(plan.Selector{Data: []plan.DataResource{objects}})}

// does returns what trails do: everything, except as given.
func does(trails []plan.Trail, except map[string]plan.TrailHealth) plan.Healths {
	h := plan.Healths{}
	for _, t := range trails {
		h[t.ARN] = plan.TrailHealth{Status: plan.TrailStatus{Logging: true}, Selectors: plan.DefaultSelectors()}
		if e, given := except[t.ARN[strings.LastIndex(t.ARN, "/")+1:]]; given {
			h[t.ARN] = e
		}
	}
	return h
}

// A memory that is too long for a parameter is packed, and reads back the same. What
// somebody packed to fill the function's memory is not read.
func TestPackedMemory(t *testing.T) {
	data := plan.DataResource{Type: "AWS::S3::Object"}
	for i := range 250 {
		data.Values = append(data.Values, fmt.Sprintf("arn:aws:s3:::a-bucket-with-a-rather-long-name-%d/", i))
	}
	m := plan.MemoryOf(sound("main"), basic(plan.Selector{Management: true, ReadWrite: "All", Data: []plan.DataResource{data}}), false)
	text := m.Encode()
	if len(text) > catalog.MemoryChars || !strings.HasPrefix(text, `{"v":1,"packed":"`) {
		t.Errorf("%d characters, %.40s", len(text), text)
	}
	got, err := plan.DecodeTrailMemory(text, account, region)
	if diff := cmp.Diff(m, got); err != nil || diff != "" {
		t.Errorf("%v:\n%s", err, diff)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	m.Prefix = strings.Repeat("x", 5<<20) // all else is as it has to be
	if raw, err := json.Marshal(m); err != nil {
		t.Fatal(err)
	} else if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := plan.DecodeTrailMemory(`{"v":1,"packed":"`+base64.StdEncoding.EncodeToString(packed.Bytes())+`"}`, account, region); err == nil {
		t.Error("5 MB are read")
	}
}
