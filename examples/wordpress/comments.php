<?php
defined('ABSPATH') || exit;
$thread = wp_make_link_relative(get_permalink());
?>
<script src="<?= esc_url(SLUICE_SERVER . '/embed.js') ?>" data-site="<?= esc_attr(SLUICE_SITE) ?>" data-thread="<?= esc_attr($thread) ?>" data-author="<?= esc_attr(get_the_author_meta('user_nicename', get_post_field('post_author'))) ?>" async></script>
<noscript><a href="<?= esc_url(SLUICE_SERVER . '/t/' . SLUICE_SITE . '/' . rawurlencode($thread)) ?>">Read the comments</a></noscript>
