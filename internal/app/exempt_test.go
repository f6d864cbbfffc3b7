package app_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

// Where no event reaches relight, each sweep reports a VPC that a tag exempts.
// Elsewhere the event does.
func TestSweepsReportExemptions(t *testing.T) {
	t.Parallel()
	const swept = "us-west-2"
	for region, want := range map[string]int{swept: 1, home: 0} {
		w := deployed(t, `{"flowLogs":{"exemptByTag":true}}`)
		w.AddRegion(swept, "opt-in-not-required")
		w.AddVPC(region, "vpc-9")
		must(w.In(region).EC2.CreateTags(t.Context(), &ec2.CreateTagsInput{
			Resources: []string{"vpc-9"}, Tags: []ec2types.Tag{{Key: aws.String(catalog.ExemptTag), Value: aws.String(catalog.ExemptValue)}},
		}))
		w.sweep(app.Request{})
		if s := w.sweep(app.Request{}); s.Findings != want {
			t.Errorf("%s: %d findings, want %d: %v", region, s.Findings, want, codes(s))
		}
	}
}
