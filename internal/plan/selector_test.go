package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/plan"
)

func basic(s ...plan.Selector) plan.Selectors { return plan.Selectors{Basic: s} }

// advanced returns selectors of management events with further fields.
func advanced(fields ...plan.FieldSelector) plan.AdvancedSelector {
	return plan.AdvancedSelector{Fields: append([]plan.FieldSelector{{Field: "eventCategory", Equals: []string{"Management"}}}, fields...)}
}

func equals(field string, values ...string) plan.FieldSelector {
	return plan.FieldSelector{Field: field, Equals: values}
}

var (
	objects   = plan.DataResource{Type: "AWS::S3::Object", Values: []string{"arn:aws:s3:::audited/"}}
	functions = plan.DataResource{Type: "AWS::Lambda::Function", Values: []string{"arn:aws:lambda"}}
	inBucket  = plan.AdvancedSelector{Name: "objects", Fields: []plan.FieldSelector{
		equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object"), {Field: "resources.ARN", StartsWith: []string{"arn:aws:s3:::audited/"}},
	}}
)

func TestSelectorsMissing(t *testing.T) {
	source := func(names ...string) plan.FieldSelector {
		return plan.FieldSelector{Field: "eventSource", NotEquals: names}
	}
	const (
		nothing = "it records no management events"
		reads   = "it records no management events that read"
		writes  = "it records no management events that write"
		kms     = "it omits the management events of kms.amazonaws.com"
	)
	tests := map[string]struct {
		s    plan.Selectors
		want string
	}{
		"none":                       {plan.Selectors{}, nothing},
		"default":                    {plan.DefaultSelectors(), ""},
		"no type means all":          {basic(plan.Selector{Management: true}), ""},
		"data only":                  {basic(plan.Selector{ReadWrite: "All", Data: []plan.DataResource{objects}}), nothing},
		"reads":                      {basic(plan.Selector{Management: true, ReadWrite: "ReadOnly"}), writes},
		"writes":                     {basic(plan.Selector{Management: true, ReadWrite: "WriteOnly"}), reads},
		"reads and writes":           {basic(plan.Selector{Management: true, ReadWrite: "ReadOnly"}, plan.Selector{Management: true, ReadWrite: "WriteOnly"}), ""},
		"writes of data do not help": {basic(plan.Selector{Management: true, ReadWrite: "ReadOnly"}, plan.Selector{ReadWrite: "WriteOnly", Data: []plan.DataResource{objects}}), writes},
		"KMS excluded":               {basic(plan.Selector{Management: true, ReadWrite: "All", Exclude: []string{"kms.amazonaws.com"}}), kms},
		"KMS excluded of reads": {
			basic(plan.Selector{Management: true, ReadWrite: "ReadOnly", Exclude: []string{"kms.amazonaws.com"}}, plan.Selector{Management: true, ReadWrite: "WriteOnly"}),
			kms + " that read",
		},
		"what one excludes the other has": {
			basic(plan.Selector{Management: true, Exclude: []string{"kms.amazonaws.com"}}, plan.Selector{Management: true, Exclude: []string{"rdsdata.amazonaws.com"}}), "",
		},
		"two excluded": {
			basic(plan.Selector{Management: true, Exclude: []string{"rdsdata.amazonaws.com", "kms.amazonaws.com"}}), kms + ", rdsdata.amazonaws.com",
		},

		"advanced":                  {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced()}}, ""},
		"advanced data only":        {plan.Selectors{Advanced: []plan.AdvancedSelector{inBucket}}, nothing},
		"advanced, reads":           {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(equals("readOnly", "true"))}}, writes},
		"advanced, both by name":    {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(equals("readOnly", "true", "false"))}}, ""},
		"advanced, reads or writes": {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(equals("readOnly", "true")), advanced(equals("readOnly", "false"))}}, ""},
		"advanced, without KMS":     {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(source("kms.amazonaws.com"))}}, kms},
		"advanced, twice without": {
			plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(source("kms.amazonaws.com")), advanced(source("rdsdata.amazonaws.com"))}}, "",
		},
		"advanced, one source":       {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(equals("eventSource", "iam.amazonaws.com"))}}, nothing},
		"advanced, by name":          {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(plan.FieldSelector{Field: "eventName", NotEquals: []string{"DeleteTrail"}})}}, nothing},
		"advanced, by caller":        {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(plan.FieldSelector{Field: "userIdentity.arn", NotStartsWith: []string{"arn:aws:iam"}})}}, nothing},
		"advanced, source by prefix": {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(plan.FieldSelector{Field: "eventSource", NotStartsWith: []string{"kms"}})}}, nothing},
		"advanced, no reads at all":  {plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(plan.FieldSelector{Field: "readOnly", NotEquals: []string{"true"}})}}, nothing},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.s.Missing(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			for _, m := range []*plan.Selectors{nil, {}, {Basic: []plan.Selector{{Data: []plan.DataResource{functions}}}}, {Advanced: []plan.AdvancedSelector{inBucket}}} {
				if got := tt.s.Repaired(m).Missing(); got != "" {
					t.Errorf("repaired with %+v: %s", m, got)
				}
			}
		})
	}
}

func TestSelectorsRepaired(t *testing.T) {
	all := plan.Selector{Management: true, ReadWrite: "All"}
	managed := plan.AdvancedSelector{Name: "Management events", Fields: []plan.FieldSelector{equals("eventCategory", "Management")}}
	ofData := func(readWrite string, d ...plan.DataResource) plan.Selector {
		return plan.Selector{ReadWrite: readWrite, Data: d}
	}
	tests := map[string]struct {
		got        plan.Selectors
		remembered *plan.Selectors
		want       plan.Selectors
	}{
		"nothing but management": {basic(plan.Selector{Management: true, ReadWrite: "ReadOnly"}), nil, basic(all)},
		"data stays, with its type": {
			basic(plan.Selector{Management: true, ReadWrite: "WriteOnly", Data: []plan.DataResource{objects}}), nil,
			basic(all, ofData("WriteOnly", objects)),
		},
		"data comes back": {
			basic(plan.Selector{Management: true, ReadWrite: "ReadOnly"}), &plan.Selectors{Basic: []plan.Selector{{Management: true, Data: []plan.DataResource{objects}}}},
			basic(all, ofData("All", objects)),
		},
		"data is not doubled": {
			basic(ofData("All", objects)), &plan.Selectors{Basic: []plan.Selector{all, ofData("All", objects), ofData("All", functions)}},
			basic(all, ofData("All", objects), ofData("All", functions)),
		},
		"advanced data stays": {
			plan.Selectors{Advanced: []plan.AdvancedSelector{advanced(equals("readOnly", "true")), inBucket}},
			nil,
			plan.Selectors{Advanced: []plan.AdvancedSelector{managed, inBucket}},
		},
		"advanced by basic": {
			basic(plan.Selector{ReadWrite: "ReadOnly", Data: []plan.DataResource{objects, functions}}), &plan.Selectors{Advanced: []plan.AdvancedSelector{managed, inBucket}},
			plan.Selectors{Advanced: []plan.AdvancedSelector{
				managed,
				{Fields: []plan.FieldSelector{
					equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object"), equals("readOnly", "true"),
					{Field: "resources.ARN", StartsWith: []string{"arn:aws:s3:::audited/"}},
				}},
				{Fields: []plan.FieldSelector{equals("eventCategory", "Data"), equals("resources.type", "AWS::Lambda::Function"), equals("readOnly", "true")}},
				inBucket,
			}},
		},
		"no more than five": {
			basic(ofData("All", objects), ofData("ReadOnly", objects), ofData("WriteOnly", objects), ofData("All", functions), ofData("ReadOnly", functions)), nil,
			basic(plan.Selector{Management: true, ReadWrite: "All", Data: []plan.DataResource{functions}}, ofData("All", objects), ofData("ReadOnly", objects), ofData("WriteOnly", objects), ofData("All", functions)),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.got.Repaired(tt.remembered)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever selectors are and were, repaired ones record every management event,
// leave no data event out, and are not repaired again.
func TestSelectorsRepairedAnyhow(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		got, was := anySelectors(r, "got"), anySelectors(r, "was")
		repaired := got.Repaired(&was)
		if why := repaired.Missing(); why != "" {
			r.Fatalf("repaired %+v: %s", repaired, why)
		}
		if len(repaired.Basic) > 5 || len(repaired.Basic) > 0 && len(repaired.Advanced) > 0 {
			r.Fatalf("CloudTrail takes no such selectors: %+v", repaired)
		}
		for _, s := range got.Basic {
			for _, d := range s.Data {
				kept := slices.ContainsFunc(repaired.Basic, func(k plan.Selector) bool {
					return slices.ContainsFunc(k.Data, func(e plan.DataResource) bool { return cmp.Equal(d, e) })
				})
				if len(repaired.Basic) > 0 && !kept {
					r.Fatalf("%+v is left out of %+v", d, repaired)
				}
			}
		}
	})
}

func anySelectors(r *rapid.T, label string) plan.Selectors {
	var s plan.Selectors
	types := rapid.SampledFrom([]string{"", "All", "ReadOnly", "WriteOnly"})
	sources := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"kms.amazonaws.com", "rdsdata.amazonaws.com"}), 0, 2, rapid.ID)
	n := rapid.IntRange(0, 5).Draw(r, label+" selectors")
	asAdvanced := rapid.Bool().Draw(r, label+" advanced")
	for range n {
		if asAdvanced {
			s.Advanced = append(s.Advanced, rapid.SampledFrom([]plan.AdvancedSelector{
				advanced(), inBucket, advanced(equals("readOnly", "true")), advanced(equals("eventName", "X")),
			}).Draw(r, label))
			continue
		}
		b := plan.Selector{Management: rapid.Bool().Draw(r, "management"), ReadWrite: types.Draw(r, "type")}
		if b.Management {
			b.Exclude = sources.Draw(r, "exclude")
		}
		if rapid.Bool().Draw(r, "data") {
			b.Data = []plan.DataResource{rapid.SampledFrom([]plan.DataResource{objects, functions}).Draw(r, "of")}
		}
		s.Basic = append(s.Basic, b)
	}
	return s
}

// Selectors are the same whatever the order of their fields and values.
func TestSelectorOrder(t *testing.T) {
	turned := plan.AdvancedSelector{Fields: slices.Clone(inBucket.Fields)}
	slices.Reverse(turned.Fields)
	two := plan.DataResource{Type: "AWS::S3::Object", Values: []string{"arn:aws:s3:::a/", "arn:aws:s3:::b/"}}
	owt := plan.DataResource{Type: "AWS::S3::Object", Values: []string{"arn:aws:s3:::b/", "arn:aws:s3:::a/"}}
	got := plan.Selectors{Advanced: []plan.AdvancedSelector{inBucket}}.Repaired(&plan.Selectors{Advanced: []plan.AdvancedSelector{turned}})
	if len(got.Advanced) != 2 {
		t.Errorf("%+v, want management events and one other", got)
	}
	got = basic(plan.Selector{Data: []plan.DataResource{two}}).Repaired(&plan.Selectors{Basic: []plan.Selector{{Data: []plan.DataResource{owt}}}})
	if len(got.Basic) != 2 {
		t.Errorf("%+v, want management events and one other", got)
	}
}

func TestLost(t *testing.T) {
	many := plan.DataResource{Type: "AWS::S3::Object", Values: []string{"arn:aws:s3:::a/", "arn:aws:s3:::b/", "arn:aws:s3:::c/", "arn:aws:s3:::d/", "arn:aws:s3:::e/"}}
	all := basic(plan.Selector{Management: true, Data: []plan.DataResource{many, functions}})
	for name, tt := range map[string]struct {
		kept plan.Selectors
		want string
	}{
		"nothing":       {all, ""},
		"one":           {basic(plan.Selector{Data: []plan.DataResource{many}}), "the data events of AWS::Lambda::Function every resource"},
		"as advanced":   {plan.Selectors{Advanced: []plan.AdvancedSelector{inBucket}}, "the data events of AWS::Lambda::Function every resource, AWS::S3::Object arn:aws:s3:::a/, AWS::S3::Object arn:aws:s3:::b/, and 3 more"},
		"without a few": {basic(plan.Selector{Data: []plan.DataResource{functions, {Type: many.Type, Values: many.Values[1:]}}}), "the data events of AWS::S3::Object arn:aws:s3:::a/"},
	} {
		if got := plan.Lost(all, tt.kept); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
