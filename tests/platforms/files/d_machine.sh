#!/bin/sh
echo "ECS_CLUSTER=${cluster}" >> /etc/ecs/ecs.config
