package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// Of buckets and keys a trail's plan says which of those an event named a trail
// leans on, and nothing else: the trail itself was not looked at.
func TestTrailsWatch(t *testing.T) {
	const id, arn = "1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	seen := []plan.Trail{{ARN: trail, Bucket: "audit", Key: arn}, {ARN: trail + "-2", Bucket: "more"}}
	tests := []struct {
		of      catalog.ResourceType
		asked   []string
		touched []string
	}{
		{catalog.Bucket, []string{"audit", "checkout-assets", "more"}, []string{"audit", "more"}},
		{catalog.Bucket, nil, nil},
		{catalog.Key, []string{id}, []string{id}},
		{catalog.Key, []string{arn}, []string{arn}},
		{catalog.Key, []string{"90ab", "audit"}, nil},
	}
	for _, tt := range tests {
		got := plan.Observed{Account: account, Region: region, Type: tt.of, Asked: tt.asked, State: &plan.TrailState{Seen: seen}}
		p := of(t, policy(t), got)
		if diff := cmp.Diff(plan.Plan{Touched: tt.touched}, p); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", tt.of, tt.asked, diff)
		}
	}
}
