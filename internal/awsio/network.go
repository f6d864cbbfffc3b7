package awsio

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
	"github.com/relight-aws/relight/internal/plan"
)

// describeNetworks returns the named VPCs, subnets and network interfaces, or all
// that need flow logs in the region if no names are given. It also returns the named
// ones that do not exist. It asks by filter, because a call by ID fails as a whole if
// one ID is gone.
func (r *region) describeNetworks(ctx context.Context, names []string) (found []plan.Network, gone []string, err error) {
	foundOf, goneOf := make([][]plan.Network, len(catalog.NetworkTypes)), make([][]string, len(catalog.NetworkTypes))
	err = eachAtOnce(catalog.NetworkTypes, func(i int, of catalog.ResourceType) (err error) {
		named := slices.DeleteFunc(slices.Clone(names), func(id string) bool { return catalog.NetworkType(id) != of })
		switch {
		case !r.Want.FlowLogs.Keeps(of):
		case len(names) == 0:
			foundOf[i], err = r.listChosen(ctx, of)
		case len(named) > 0:
			foundOf[i], goneOf[i], err = r.findNetworks(ctx, of, named)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return slices.Concat(foundOf...), slices.Concat(goneOf...), nil
}

// listChosen returns the VPCs of the region, or the subnets or network interfaces that
// the configuration chooses.
func (r *region) listChosen(ctx context.Context, of catalog.ResourceType) ([]plan.Network, error) {
	if of == catalog.VPC {
		return r.listNetworks(ctx, of, nil)
	}
	chosen := r.Want.FlowLogs.Chosen[of]
	var found []plan.Network
	for ids := range slices.Chunk(chosen.IDs, catalog.FilterValues) {
		some, err := r.listNetworks(ctx, of, filterBy(idFilters[of], ids))
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	if len(chosen.Tags) > 0 {
		var filters []types.Filter
		for _, key := range sortedKeys(chosen.Tags) {
			filters = append(filters, filterBy("tag:"+key, []string{chosen.Tags[key]})...)
		}
		some, err := r.listNetworks(ctx, of, filters)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	order.By(found, func(a, b plan.Network) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(found, func(a, b plan.Network) bool { return a.ID == b.ID }), nil
}

// findNetworks returns the named resources of one type, and the names of those that do
// not exist.
func (r *region) findNetworks(ctx context.Context, of catalog.ResourceType, names []string) (found []plan.Network, gone []string, err error) {
	for try := 0; ; try++ {
		found, err = r.listNetworks(ctx, of, filterBy(idFilters[of], names))
		if err != nil {
			return nil, nil, err
		}
		gone = nil
		for _, name := range names {
			if !slices.ContainsFunc(found, func(n plan.Network) bool { return n.ID == name }) {
				gone = append(gone, name)
			}
		}
		if len(gone) == 0 || try == len(notYet) {
			return found, gone, nil
		}
		if err := r.pause(ctx, notYet[try]); err != nil {
			return nil, nil, wrap(describeOps[of], r.name, err)
		}
	}
}

// unlisted reads the resources that have flow logs of relight's own and that a
// listing of the region did not show. It asks for them by name, and repeats
// that: a VPC that EC2 does not show yet is not gone.
func (r *region) unlisted(
	ctx context.Context, listed []plan.Network, flowLogs map[string][]plan.FlowLog,
) (late []plan.Network, gone []string, err error) {
	known := map[string]bool{}
	for _, n := range listed {
		known[n.ID] = true
	}
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(flowLogs)), func(id string) bool {
		return known[id] || !slices.ContainsFunc(flowLogs[id], func(fl plan.FlowLog) bool { return fl.Ours })
	})
	for names := range slices.Chunk(missing, catalog.FilterValues) {
		found, lost, err := r.describeNetworks(ctx, names)
		if err != nil {
			return nil, nil, err
		}
		late, gone = append(late, found...), append(gone, lost...)
	}
	return late, gone, nil
}

// idFilters are the EC2 filters by ID. Source: EC2 API Reference, DescribeVpcs,
// DescribeSubnets and DescribeNetworkInterfaces.
var idFilters = map[catalog.ResourceType]string{catalog.VPC: "vpc-id", catalog.Subnet: "subnet-id", catalog.Interface: "network-interface-id"}

var describeOps = map[catalog.ResourceType]string{
	catalog.VPC: "ec2.DescribeVpcs", catalog.Subnet: "ec2.DescribeSubnets", catalog.Interface: "ec2.DescribeNetworkInterfaces",
}

// listNetworks returns the resources of one type that match.
func (r *region) listNetworks(ctx context.Context, of catalog.ResourceType, filters []types.Filter) (found []plan.Network, err error) {
	add := func(id, owner *string, tags []types.Tag) {
		n := plan.Network{ID: aws.ToString(id), Owner: aws.ToString(owner)}
		have := map[string]string{}
		for _, t := range tags {
			have[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if of == catalog.VPC {
			n.Exempt = have[catalog.ExemptTag] == catalog.ExemptValue
		} else {
			n.Unchosen = !r.Want.FlowLogs.Chosen[of].Selects(n.ID, have)
		}
		found = append(found, n)
	}
	switch of {
	case catalog.VPC:
		in := &ec2.DescribeVpcsInput{Filters: filters, MaxResults: aws.Int32(pageSize)}
		for page, err := range pages(ctx, ec2.NewDescribeVpcsPaginator(r.ec2(), in)) {
			if err != nil {
				return nil, err
			}
			for _, v := range page.Vpcs {
				add(v.VpcId, v.OwnerId, v.Tags)
			}
		}
	case catalog.Subnet:
		in := &ec2.DescribeSubnetsInput{Filters: filters, MaxResults: aws.Int32(pageSize)}
		for page, err := range pages(ctx, ec2.NewDescribeSubnetsPaginator(r.ec2(), in)) {
			if err != nil {
				return nil, err
			}
			for _, s := range page.Subnets {
				add(s.SubnetId, s.OwnerId, s.Tags)
			}
		}
	case catalog.Interface:
		in := &ec2.DescribeNetworkInterfacesInput{Filters: filters, MaxResults: aws.Int32(pageSize)}
		for page, err := range pages(ctx, ec2.NewDescribeNetworkInterfacesPaginator(r.ec2(), in)) {
			if err != nil {
				return nil, err
			}
			for _, i := range page.NetworkInterfaces {
				add(i.NetworkInterfaceId, i.OwnerId, i.TagSet)
			}
		}
	}
	return found, nil
}
