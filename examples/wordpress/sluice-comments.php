<?php
/**
 * Plugin Name: Sluice comments
 * Description: Shows Sluice threads in place of the built-in comments.
 * License: MIT
 */

defined('ABSPATH') || exit;

const SLUICE_SERVER = 'https://comments.example.com';
const SLUICE_SITE = 'my-blog';

// Themes made of templates ask for a file; themes made of blocks have a block in its place.
add_filter('comments_template', fn () => __DIR__ . '/comments.php');
add_filter('render_block_core/comments', function () {
    ob_start();
    include __DIR__ . '/comments.php';
    return ob_get_clean();
});

// The built-in form is gone. What still posts to its address, or pings, would be a comment that Sluice never saw.
add_action('pre_comment_on_post', fn () => wp_die('Comments are taken below the post.', 403));
add_filter('pings_open', '__return_false');
