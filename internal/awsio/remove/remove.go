// Package remove lists and takes away what outlives relight's stacks. It is apart from
// awsio because no function may make these calls, or link them: a person does, with
// relight remove.
package remove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
)

// An Item is one resource that may be relight's.
type Item struct {
	Sort   catalog.LeftoverSort `json:"sort"`
	Region string               `json:"region"`
	Name   string               `json:"name"`
	Why    string               `json:"why,omitempty"` // why it stays, or could not be removed; "" for one to remove

	id string // by which the API knows it
}

// String returns the item for people.
func (i Item) String() string { return fmt.Sprintf("%s %s in %s", i.Sort, i.Name, i.Region) }

// A Listing is what an account has that may be relight's.
type Listing struct {
	Remove []Item // has two of relight's marks
	Stay   []Item // has one of them, or stays for another reason
	Unread []Item // sorts that could not be listed in a region, with the reason
}

// A Remover takes away what a deployment left.
type Remover struct {
	Cloud   *awsio.Cloud
	Logs    bool  // log groups too, with their records
	KeyDays int32 // until a key is deleted: 7 to 30
}

// regionsAtOnce limits how many regions are read at a time.
const regionsAtOnce = 8

// place is one region, with what a sort needs there.
type place struct {
	Remover
	aws    aws.Config
	region string
	want   catalog.Desired
}

// A sort lists and removes the resources of one sort in a region.
type sort struct {
	list   func(context.Context, place) ([]Item, error)
	remove func(context.Context, place, Item) error // nil for what always stays
}

// sorts has every sort of the catalog's table.
var sorts = map[catalog.LeftoverSort]sort{
	catalog.LeftSchedule:  {schedules, deleteSchedule},
	catalog.LeftMapping:   {mappings, deleteMapping},
	catalog.LeftRule:      {rules, deleteRule},
	catalog.LeftQueue:     {queues, deleteQueue},
	catalog.LeftFlowLog:   {flowLogs, deleteFlowLog},
	catalog.LeftAlarm:     {alarms, deleteAlarm},
	catalog.LeftFilter:    {filters, deleteFilter},
	catalog.LeftTopic:     {topics, deleteTopic},
	catalog.LeftKey:       {keys, deleteKey},
	catalog.LeftRole:      {roles, deleteRole},
	catalog.LeftParameter: {parameters, deleteParameter},
	catalog.LeftLogs:      {logGroups, deleteLogGroup},
	catalog.LeftTrail:     {trails, nil},
}

// Sorts returns the sorts that this package knows.
func Sorts() []catalog.LeftoverSort {
	var all []catalog.LeftoverSort
	for s := range sorts {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

func (r Remover) in(region string) place {
	return place{r, r.Cloud.ClientConfig(region), region, r.Cloud.Want}
}

// Stacks returns relight's stacks in these regions, as REGION/NAME, in the order in which
// they can be deleted. While one exists, its functions restore what is removed.
func (r Remover) Stacks(ctx context.Context, regions []string) ([]string, error) {
	var mu sync.Mutex
	var found []string
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(regionsAtOnce)
	for _, region := range regions {
		g.Go(func() error {
			p := r.in(region)
			for _, name := range []string{p.want.StackName(), p.want.ForwarderName(region)} {
				_, err := cloudformation.NewFromConfig(p.aws).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
				if api, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(api.ErrorMessage(), "does not exist") {
					continue
				}
				if err != nil {
					return fmt.Errorf("look for the stack %s in %s: %w", name, region, err)
				}
				mu.Lock()
				found = append(found, region+"/"+name)
				mu.Unlock()
			}
			return nil
		})
	}
	err := g.Wait()
	home := "/" + r.Cloud.Want.StackName() // last: the forwarders send to its bus
	slices.SortFunc(found, func(a, b string) int {
		last := func(s string) int {
			if strings.HasSuffix(s, home) {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(last(a), last(b)), cmp.Compare(a, b))
	})
	return found, err
}

// List reads every sort in these regions. What cannot be read is in the listing.
func (r Remover) List(ctx context.Context, regions []string) Listing {
	var mu sync.Mutex
	byRow := map[int][]Item{}
	var all Listing
	var g errgroup.Group
	g.SetLimit(regionsAtOnce)
	rows := catalog.Leftovers()
	for _, region := range regions {
		g.Go(func() error {
			p := r.in(region)
			for n, row := range rows {
				if row.Home && region != p.want.HomeRegion {
					continue
				}
				items, err := sorts[row.Sort].list(ctx, p)
				mu.Lock()
				if err != nil {
					all.Unread = append(all.Unread, Item{Sort: row.Sort, Region: region, Name: "*", Why: err.Error()})
				}
				for _, i := range items {
					i.Sort, i.Region = row.Sort, region
					if i.Why == "" && row.Stays != "" && (row.Sort != catalog.LeftLogs || !r.Logs) {
						i.Why = row.Stays
					}
					byRow[n] = append(byRow[n], i)
				}
				mu.Unlock()
			}
			return nil
		})
	}
	_ = g.Wait() // errors are in the listing
	byPlace := func(a, b Item) int { return strings.Compare(a.Region+" "+a.Name, b.Region+" "+b.Name) }
	for n := range rows {
		slices.SortFunc(byRow[n], byPlace)
		for _, i := range byRow[n] {
			if i.Why == "" {
				all.Remove = append(all.Remove, i)
			} else {
				all.Stay = append(all.Stay, i)
			}
		}
	}
	slices.SortFunc(all.Unread, func(a, b Item) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// Remove takes items away one after another, in their order. It returns those that are
// gone and those that it could not remove, with the reason. What is gone already counts as
// gone.
func (r Remover) Remove(ctx context.Context, items []Item, done func(int)) (removed, failed []Item) {
	for n, i := range items {
		if err := sorts[i.Sort].remove(ctx, r.in(i.Region), i); err != nil && !missing(err) {
			i.Why = err.Error()
			failed = append(failed, i)
		} else {
			removed = append(removed, i)
		}
		done(n + 1)
	}
	return removed, failed
}

// missingCodes are the codes with which services say that something does not exist.
// Sources: the services' API references.
var missingCodes = []string{
	"AWS.SimpleQueueService.NonExistentQueue", "InvalidFlowLogId.NotFound", "NoSuchEntity", "NotFound", "NotFoundException",
	"ParameterNotFound", "QueueDoesNotExist", "ResourceNotFound", "ResourceNotFoundException",
}

func missing(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && slices.Contains(missingCodes, api.ErrorCode())
}

// named reports whether a name begins with relight's prefix.
func (p place) named(name string) bool { return strings.HasPrefix(name, p.want.Name("")) }

// notTagged is why a resource with relight's name alone stays.
func (p place) notTagged() string {
	return fmt.Sprintf("it has relight's name and not the tag %s=%s, so somebody else may have made it", catalog.OwnerTag, p.want.Prefix)
}

// unlessTagged returns why a resource with relight's name stays: "" if it has the tag.
func (p place) unlessTagged(tagged bool) string {
	if tagged {
		return ""
	}
	return p.notTagged()
}

// owner reports whether a tag is relight's.
func (p place) owner(key, value *string) bool {
	return aws.ToString(key) == catalog.OwnerTag && aws.ToString(value) == p.want.Prefix
}
